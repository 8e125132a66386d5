"""GetSwitchingStudies: which options are to be looked at.

Ours [P]; the query that goes with :mod:`contracts.nouns.switching_studies`.
"""

from msgspec import Struct, field

from contracts.nouns.switching_studies import StudyOperation
from contracts.types import attribute

NAMESPACE = "urn:busbar:2026:GetSwitchingStudies#"


class SwitchingOption(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """One option: operations in their order; the study of it has the same mRID."""

    mrid: str
    operation: tuple[StudyOperation, ...] = field(name="Operation", default=())


class GetSwitchingStudies(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the query."""

    switching_option: tuple[SwitchingOption, ...] = field(name="SwitchingOption", default=())
