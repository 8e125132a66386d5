"""Acceptance scenarios of the operations guide on devices that close again by themselves.

Network operation, fault management, meter reading and the ledger are real; telecontrol and the head-end tell what a
recloser with shots after 0.5, 15 and 45 s does, and what the meters below it say.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from contracts.codes.end_device_events import EventKind
from contracts.message import Option, Request
from contracts.nouns.maintenance_orders import MaintenanceOrders
from contracts.nouns.measurements import Discrete, DiscreteValue, Measurements, MeasurementType, SwitchPosition
from contracts.nouns.network_models import NetworkModel, NetworkModels
from contracts.nouns.reliability_indices import InterruptionKind, ReliabilityIndex, ReliabilityIndices
from contracts.nouns.unplanned_outages import OutageState
from contracts.nouns.work_requests import WorkRequests
from contracts.types import ObjectReference
from contracts.verbs import Verb
from services.compliance_management.service import service as compliance_management
from services.fault_management.service import service as fault_management
from services.meter_reading_and_control.service import service as meter_reading
from services.network_operation.service import service as network_operation
from shared.tools.testing import Installation
from tests.acceptance.stage import Stage, points, stage
from tests.fixtures.phased_feeders import below, feeders
from tests.fixtures.small_feeder import s

BELOW_R = below("FA", "FB", "FC", "FT", "H1", "H2")
TRIPS = (0.0, 1.0, 17.0)
CLOSES = (0.5, 16.0, 62.0)
LATE = 900.0


@asynccontextmanager
async def utility(theatre: Installation) -> AsyncIterator[Stage]:
    """The two feeders as network operation has them, an hour before anything happens."""
    services = (network_operation, fault_management, meter_reading, compliance_management)
    async with stage(theatre, feeders(at=s(-3600)), *services) as play:
        model = NetworkModel(mrid="town", model_format="CIM100 RDF/XML", revision=1)
        told = NetworkModels(network_model=(model,))
        await play.peers["network-model-management"].tell(Verb.CREATED, told, key="town")
        await play.play(0)
        yield play


async def move(play: Stage, at: float, position: SwitchPosition, *, lockout: bool = False) -> None:
    """Telecontrol tells that the recloser moved by itself."""
    kinds = [(MeasurementType.SWITCH_POSITION, int(position))]
    kinds += [(MeasurementType.TRIP, 1)] if position is SwitchPosition.OPEN else []
    kinds += [(MeasurementType.LOCKOUT, 1)] if lockout else []
    told = tuple(
        Discrete(
            measurement_type=kind,
            discrete_values=(DiscreteValue(time_stamp=play.at(at), value=value),),
            power_system_resource=ObjectReference(mrid="R"),
        )
        for kind, value in kinds
    )
    await play.peers["scada"].tell(Verb.CREATED, Measurements(discrete=told), key="R")


async def cycle(play: Stage) -> None:
    """Three trips, after each of which the recloser closes."""
    for trip, close in zip(TRIPS, CLOSES, strict=True):
        await play.play(trip)
        await move(play, trip, SwitchPosition.OPEN)
        await play.play(close)
        await move(play, close, SwitchPosition.CLOSED)


async def indices(play: Stage, until: float) -> ReliabilityIndex:
    """What the ledger has of all that was not planned."""
    question = Request(
        start_time=play.at(-3600),
        end_time=play.at(until),
        option=(Option(name="majorEventDays", value="included"),),
    )
    operator = play.peers["operator"]
    answer = await operator.request("compliance-management", Verb.GET, ReliabilityIndices, question=question)
    (told,) = [each for each in answer.noun.reliability_index if each.interruption_kind is not InterruptionKind.PLANNED]
    assert isinstance(told, ReliabilityIndex)
    return told


async def test_a_recloser_that_succeeds_on_shot_three_sends_nobody_and_counts_three_momentaries_in_one_event(
    theatre: Installation,
) -> None:
    """Scenario 5: recloser 0.5/15/45 s succeeds on shot 3: no outage, no ticket to a crew, MAIFI +3, MAIFI_E +1; gasps
    that arrive later attach to the momentary."""
    async with utility(theatre) as play:
        await cycle(play)
        assert play.states() == [], "nobody knows anything while it is cycling"
        await play.play(LATE)
        assert play.states() == [OutageState.MOMENTARY] * len(TRIPS)
        await play.meters(EventKind.POWER_LOST, *BELOW_R, at=TRIPS[-1])
        await play.play(3 * LATE)
        assert await play.outages() == []
        assert set(play.states()) == {OutageState.MOMENTARY}
        assert not play.said(WorkRequests)
        assert not play.said(MaintenanceOrders)
        told = await indices(play, 3 * LATE)
        assert told.customers_served is not None
        share = len(BELOW_R) / told.customers_served
        assert (told.maifi, told.maifi_e, told.saifi) == (3 * share, share, 0.0)


async def test_a_recloser_that_locks_out_is_one_outage_since_its_first_trip_and_no_momentary_event(
    theatre: Installation,
) -> None:
    """Scenario 6: the same sequence locks out: exactly one outage, start = first trip, MAIFI_E unchanged."""
    async with utility(theatre) as play:
        await cycle(play)
        await play.play(63)
        await move(play, 63, SwitchPosition.OPEN, lockout=True)
        await play.play(64)
        (outage,) = await play.outages()
        assert outage.status is not None
        assert outage.status.value == OutageState.CONFIRMED
        assert [each.mrid for each in outage.opened_switches] == ["R"]
        assert points(outage.de_energized_usage_point) == set(BELOW_R)
        assert outage.actual_period is not None
        assert outage.actual_period.start == play.at(0)
        await play.meters(EventKind.POWER_LOST, *BELOW_R, at=63)
        await play.play(LATE)
        (still,) = await play.outages()
        assert (still.mrid, len(play.said(WorkRequests))) == (outage.mrid, 1)
        told = await indices(play, LATE)
        assert told.customers_served is not None
        assert (told.maifi, told.maifi_e) == (0.0, 0.0)
        assert told.saifi == len(BELOW_R) / told.customers_served
        minutes = timedelta(seconds=LATE) / timedelta(minutes=1) * len(BELOW_R)
        assert told.customer_minutes == minutes
