"""What a service says has identities that follow from what it is said for."""

from uuid import NAMESPACE_OID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from shared.envelope import Cause


@given(identity=st.text(), role=st.text(), what=st.text())
def test_an_identity_is_the_uuid_of_version_5_of_what_it_follows_from(identity: str, role: str, what: str) -> None:
    cause = Cause(identity=identity, thread=None, trace={})
    assert cause.new_id(role, what) == str(uuid5(NAMESPACE_OID, f"{role}\n{what}\n{identity}"))
