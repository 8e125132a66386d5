"""The settings of network operation, from the environment."""

from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct

from services.network_operation.domain.cold_load import ColdLoad

OPERATORS = "BUSBAR_OPERATION_OPERATORS"
STALE = "BUSBAR_OPERATION_STALE_S"


class Rules(Struct, frozen=True, kw_only=True):
    """How this utility wants its network operated.

    Attributes:
        operators: how many operators share the alarms.
        stale: how long a value that is measured all the time counts when nothing more is heard.
        cold_load: how much more is taken after an interruption.
    """

    operators: int
    stale: timedelta
    cold_load: ColdLoad = ColdLoad()


def rules_from(environ: Mapping[str, str]) -> Rules:
    """The settings.

    Raises:
        ValueError: a variable cannot be what it is set to.
    """
    return Rules(operators=_number(environ, OPERATORS, 1), stale=timedelta(seconds=_number(environ, STALE, 60)))


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    """A whole number that is at least one."""
    text = environ.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"{name} is '{text}', which is no whole number of at least 1")
    return int(text)
