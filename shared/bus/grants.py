"""The permissions of a broker's user as values, and what of the wanted ones the broker does not grant."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

Permissions = Mapping[str, Mapping[str, Sequence[str]]]
"""``{"publish": {"allow": [...]}, "subscribe": {"allow": [...]}}``, as in the server's configuration."""

USER_INFO = "$SYS.REQ.USER.INFO"
"""Where the broker tells a user what it may do."""


class _User(Struct):
    permissions: Permissions | None = None


class _UserInfo(Struct):
    data: _User


_read = msgspec.json.Decoder(_UserInfo).decode


def granted(user_info: bytes) -> Permissions | None:
    """What the broker's answer on :data:`USER_INFO` grants; None when the user has no limits."""
    return _read(user_info).data.permissions


def missing(wanted: Permissions, given: Permissions | None) -> Iterator[str]:
    """What of ``wanted`` the broker does not grant, as ``publish <subject>`` and ``subscribe <subject>``.

    Args:
        wanted: what the role needs.
        given: what the broker says that the user may do; None for a user without limits.
    """
    for act, rules in wanted.items():
        limits = None if given is None else given.get(act)
        if limits is None:
            continue
        allow, deny = limits.get("allow"), limits.get("deny", ())
        for subject in rules["allow"]:
            allowed = allow is None or any(covers(pattern, subject) for pattern in allow)
            if not allowed or any(covers(pattern, subject) for pattern in deny):
                yield f"{act} {subject}"


def covers(pattern: str, subject: str) -> bool:
    """True when ``pattern`` matches all that ``subject``, which may have wildcards itself, matches."""
    wide, narrow = pattern.split("."), subject.split(".")
    for index, part in enumerate(wide):
        if part == ">":
            return index < len(narrow)
        if index >= len(narrow) or narrow[index] == ">" or part not in ("*", narrow[index]):
            return False
    return len(wide) == len(narrow)
