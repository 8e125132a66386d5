"""DERGroupStatusQueries: the states of which groups are asked for.

IEC 61968-5, profile of 2017. Source: one public copy; the edition of 2020 may differ. How sure: read there, not
compared with the published text [S].

It stands in ``Request``.
"""

from msgspec import Struct, field

from contracts.types import ObjectReference, attribute

NAMESPACE = "http://iec.ch/TC57/2017/DERGroupStatusQueries#"


class DERGroupStatusQueries(Struct, frozen=True, kw_only=True, omit_defaults=True, rename=attribute):
    """The container of the profile."""

    end_device_group: tuple[ObjectReference, ...] = field(name="EndDeviceGroup", default=())
