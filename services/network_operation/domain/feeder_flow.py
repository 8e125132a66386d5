"""The power flow of each feeder as it was computed last: what it was, and whether it still holds."""

from datetime import datetime

from msgspec import Struct

from contracts.nouns.switching_studies import BranchLoading, FeederLoading, NodeVoltage
from contracts.types import ObjectReference
from services.network_operation.domain.figures import NOTHING_LIVE, SOLVED


class FeederFlow(Struct, frozen=True, kw_only=True):
    """Loading and voltage of a feeder at a time; ``status`` says how far they may be believed, or why there are none.

    Loading and margin are per cent, voltages per unit; ``loadings`` and ``voltages`` are beyond what is normal.
    """

    feeder: str
    made_at: datetime
    model_version: str
    status: str = ""
    highest_loading: float | None = None
    highest_voltage: float | None = None
    loadings: tuple[BranchLoading, ...] = ()
    lowest_voltage: float | None = None
    margin: float | None = None
    most_loaded: str | None = None
    voltages: tuple[NodeVoltage, ...] = ()

    @property
    def is_good(self) -> bool:
        """True where it says how the feeder is."""
        return self.status.startswith(SOLVED) or self.status == NOTHING_LIVE


class LastFlow(Struct, frozen=True, kw_only=True):
    """The last good power flow of a feeder, and when and why the newest one failed, if it did."""

    feeder: str
    good: FeederFlow | None = None
    failed_at: datetime | None = None
    failure: str | None = None

    def after(self, new: FeederFlow) -> "LastFlow":
        """What is known once there is another power flow; one that failed changes no figure."""
        if new.is_good:
            return LastFlow(feeder=self.feeder, good=new)
        return LastFlow(feeder=self.feeder, good=self.good, failed_at=new.made_at, failure=new.status)

    @property
    def status(self) -> str:
        """How the newest power flow ended."""
        if self.failure is not None:
            return self.failure
        return "not solved yet" if self.good is None else self.good.status

    @property
    def told(self) -> FeederLoading:
        """What is told of it."""
        feeder = ObjectReference(mrid=self.feeder)
        good = self.good
        if good is None:
            return FeederLoading(failed_date_time=self.failed_at, failure=self.failure, feeder=feeder)
        return FeederLoading(
            calculated_date_time=good.made_at,
            failed_date_time=self.failed_at,
            failure=self.failure,
            highest_loading=good.highest_loading,
            highest_voltage=good.highest_voltage,
            lowest_voltage=good.lowest_voltage,
            margin=good.margin,
            model_version=good.model_version,
            power_flow=good.status,
            feeder=feeder,
            most_loaded=None if good.most_loaded is None else ObjectReference(mrid=good.most_loaded),
        )
