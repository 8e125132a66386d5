"""The tables of CNAIM v2.1 for the classes of assets that a distribution network has, as one versioned set.

Numbers are facts of the methodology (Ofgem, 1 April 2021), read in two public transcriptions of its tables; the table
that each comes from stands beside it. Costs are pounds of the price base 2020/21. The transcriptions disagree with
themselves in the totals of table 16, so totals are counted here and never copied.

Not in the methodology and ours: which word of ``Asset.type`` belongs to which class; the visual condition of poles of
6.6 kV and more is that of low-voltage poles (table 108), since the copy of table 112 that was found is spoilt.
"""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct

from services.asset_management.domain.health import Modifier

VERSION = "CNAIM v2.1 (2021-04-01)"

BAND_VERSION = "v2.1"


class Costs(NamedTuple):
    """What a failure costs, in the four classes of consequences."""

    financial: float
    safety: float
    environmental: float
    network: float

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self)


Words = Mapping[str, Modifier]
"""What an inspector may say of one thing, and what it does to the health score."""

_MINOR: Words = {"superficial/minor deterioration": Modifier(1.0)}

_EXTERNAL_TX: Words = {  # table 81
    "no deterioration": Modifier(0.9),
    **_MINOR,
    "slight deterioration": Modifier(1.1),
    "some deterioration": Modifier(1.25, collar=3.0),
    "substantial deterioration": Modifier(1.4, collar=8.0),
}
_CABLE_BOXES_TX: Words = {  # table 82
    "no deterioration": Modifier(1.0),
    **_MINOR,
    "some deterioration": Modifier(1.1),
    "substantial deterioration": Modifier(1.3),
}
_EXTERNAL_SWITCHGEAR: Words = {  # table 54
    "no deterioration": Modifier(0.9),
    **_MINOR,
    "some deterioration": Modifier(1.2, collar=3.0),
    "substantial deterioration": Modifier(1.4, collar=8.0),
}
_LEAKS: Words = {  # table 55
    "no deterioration": Modifier(0.9),
    **_MINOR,
    "some deterioration": Modifier(1.1, collar=3.0),
    "substantial deterioration": Modifier(1.3, collar=8.0),
}
_THERMOGRAPHY: Words = {  # table 56
    "ambient or below": Modifier(0.9),
    "above ambient": Modifier(1.0),
    "substantially above ambient": Modifier(1.1),
}
_VISUAL_POLE: Words = {  # table 108
    "acceptable": Modifier(1.0),
    "some deterioration": Modifier(1.3, collar=4.0),
    "substantial deterioration": Modifier(1.8, collar=8.0),
}
_TOP_ROT: Words = {"no": Modifier(1.0), "yes": Modifier(1.3)}  # table 113
_LEANING: Words = {"no": Modifier(1.0), "yes": Modifier(1.2)}  # table 114
_PARTIAL_DISCHARGE: Words = {  # tables 148 and 171
    "low": Modifier(1.0),
    "medium": Modifier(1.1),
    "high (not confirmed)": Modifier(1.3, collar=5.5),
    "high (confirmed)": Modifier(1.5, collar=8.0),
}
_TEMPERATURE: Words = {  # table 172
    "normal": Modifier(1.0),
    "moderately high": Modifier(1.2),
    "very high": Modifier(1.4, collar=5.5),
}
_TRIP: Words = {"pass": Modifier(1.0), "fail": Modifier(1.4)}  # table 152
_DECAY: Words = {  # table 193
    "none": Modifier(0.8, cap=5.4),
    "no significant decay": Modifier(1.0, cap=6.4),
    "high": Modifier(1.4, collar=5.5),
    "very high": Modifier(1.8, collar=8.0),
}


class Class(Struct, frozen=True, kw_only=True):
    """A class of assets.

    Attributes:
        name: the asset register category.
        k: the constant of its curve of failures, in per cent a year (table 21).
        life: its normal expected life in years (table 20), and ``life_before`` that of what was made before ``year``.
        costs: the reference costs of a failure (table 16).
        customers: how many the reference costs assume to be connected (table 233); None where they do not count.
        observed, measured: what may be said of it (tables 12 and 14), and how many of it count together.
        duty: which factor of duty it has: ``transformer`` by load, ``operations`` by how often it operates.
        oil: its oil is tested; ``gases`` are judged as well, and all combine as in table 10.
        per_kilometre: probability and costs are for a kilometre.
    """

    name: str
    k: float
    life: float
    costs: Costs
    year: int | None = None
    life_before: float | None = None
    customers: int | None = None
    observed: Mapping[str, Words] = {}
    most_observed: int = 1
    measured: Mapping[str, Words] = {}
    most_measured: int = 1
    duty: str | None = None
    oil: bool = False
    gases: bool = False
    per_kilometre: bool = False


_SWITCHGEAR = {
    "externalCondition": _EXTERNAL_SWITCHGEAR,
    "leaks": _LEAKS,
    "thermography": _THERMOGRAPHY,
}
_TESTED_SWITCHGEAR = {"partialDischarge": _PARTIAL_DISCHARGE, "tripTest": _TRIP}


def _distribution_switchgear(name: str, costs: Costs) -> Class:
    return Class(
        name=name,
        k=0.0067,
        life=55,
        costs=costs,
        customers=800,
        observed=_SWITCHGEAR,
        most_observed=3,
        measured=_TESTED_SWITCHGEAR,
        most_measured=3,
        duty="operations",
    )


def _pole(name: str, life: float, costs: Costs, customers: int) -> Class:
    return Class(
        name=name,
        k=0.0285,
        life=life,
        costs=costs,
        customers=customers,
        observed={"visualCondition": _VISUAL_POLE, "poleTopRot": _TOP_ROT, "leaning": _LEANING},
        most_observed=2,
        measured={"poleDecay": _DECAY},
        most_measured=1,
    )


_HV_POLE, _LV_POLE = Costs(1913, 200, 90, 1930), Costs(1337, 601, 90, 542)

CLASSES: Mapping[str, Class] = {
    "distribution transformer": Class(
        name="6.6/11kV Transformer (GM)",
        k=0.0078,
        life=60,
        costs=Costs(9297, 4823, 3809, 4343),
        customers=200,
        observed={"externalCondition": _EXTERNAL_TX, "cableBoxes": _CABLE_BOXES_TX},
        most_observed=2,
        measured={"partialDischarge": _PARTIAL_DISCHARGE, "temperature": _TEMPERATURE},
        most_measured=2,
        duty="transformer",
        oil=True,
    ),
    "power transformer": Class(
        name="33kV Transformer (GM)",
        k=0.0454,
        life=50,
        year=1980,
        life_before=60,
        costs=Costs(134796, 23502, 17048, 28940),
        observed={"externalCondition": _EXTERNAL_TX},
        most_observed=3,
        measured={"partialDischarge": _PARTIAL_DISCHARGE, "temperature": _TEMPERATURE},
        most_measured=2,
        oil=True,
        gases=True,
    ),
    "circuit breaker": Class(
        name="6.6/11kV CB (GM) Primary",
        k=0.0052,
        life=55,
        costs=Costs(7586, 23502, 1547, 40530),
        customers=1000,
        observed=_SWITCHGEAR,
        most_observed=3,
        measured=_TESTED_SWITCHGEAR,
        most_measured=3,
        duty="operations",
    ),
    "recloser": _distribution_switchgear("6.6/11kV CB (GM) Secondary", Costs(6959, 4823, 1486, 11580)),
    "switch": _distribution_switchgear("6.6/11kV Switch (GM)", Costs(5267, 4823, 1486, 11580)),
    "ring main unit": _distribution_switchgear("6.6/11kV RMU", Costs(9839, 4823, 1486, 11580)),
    "wood pole": _pole("6.6/11kV Poles, wood", 55, _HV_POLE, 800),
    "steel pole": _pole("6.6/11kV Poles, steel", 50, _HV_POLE, 800),
    "concrete pole": _pole("6.6/11kV Poles, concrete", 60, _HV_POLE, 800),
    "low-voltage wood pole": _pole("LV Poles, wood", 55, _LV_POLE, 80),
    "underground cable": Class(
        name="33kV UG Cable (Non Pressurised)",
        k=0.0658,
        life=100,
        costs=Costs(31644, 2, 726, 3530),
        per_kilometre=True,
    ),
    "overhead conductor": Class(
        name="33kV OHL (Tower Line) Conductor",
        k=0.008,
        life=50,
        costs=Costs(17793, 1508, 96, 1333),
        per_kilometre=True,
    ),
}
"""By the word of ``Asset.type`` in small letters; what is not here has no published class and no score."""


def class_of(asset_type: str | None) -> Class | None:
    """The class of assets of a type, if the methodology has one."""
    return CLASSES.get((asset_type or "").strip().lower())


DUTY_BY_LOAD = ((50.0, 0.9), (70.0, 0.95), (100.0, 1.0))
"""The factor of duty of a distribution transformer up to a load in per cent; above the last it is 1.4 (table 33)."""
DUTY_OVERLOADED = 1.4
DUTY_OFTEN = 1.2
"""The factor of duty of switchgear that operates often, such as reclosers (table 32)."""

OIL_SCORES: Mapping[str, tuple[tuple[float, float], ...]] = {
    "moisture": ((15, 0), (30, 2), (40, 4), (50, 8), (float("inf"), 10)),  # ppm, table 203
    "acidity": ((0.15, 2), (0.3, 4), (0.5, 8), (float("inf"), 10)),  # mg KOH/g, table 204
    "breakdownStrength": ((30, 10), (40, 4), (50, 2), (float("inf"), 0)),  # kV, table 205
}
OIL_WEIGHTS = {"moisture": 80.0, "acidity": 125.0, "breakdownStrength": 80.0}
OIL_FACTORS = ((250, 1.0, 0.5), (500, 1.1, 0.5), (1000, 1.2, 0.5), (float("inf"), 1.4, 5.5))
"""Up to an oil condition score the factor and the collar (tables 206 and 207)."""

ACCESS = {"normal": 1.0, "constrained": 1.25, "underground": 2.0}  # table 221
RATINGS = ("low", "medium", "high")
SAFETY = ((0.7, 0.9, 1.2), (0.9, 1.0, 1.4), (1.2, 1.4, 1.6))  # location by type, table 225
WATER = ((40.0, 2.5), (80.0, 1.5), (120.0, 1.0), (float("inf"), 0.8))  # up to metres, table 231
BUNDED = {"yes": 0.5, "no": 1.0}  # table 231
SMALL_KVA, SMALL = 500.0, 0.6
"""A distribution transformer of less than this has less oil to lose (table 230)."""

CRITICALITY = (("C1", 0.0), ("C2", 0.75), ("C3", 1.25), ("C4", 2.0))
"""Bands of criticality, from this share of the average of the class on [GK]; the average is the reference cost."""
