"""Where a schema offers a choice, a message makes exactly the choices that it may."""

from collections.abc import Callable

import pytest

from contracts.catalogue import CATALOGUE
from contracts.errors import Malformed
from contracts.nouns.end_device_controls import EndDeviceControl, PanDisplay, PanPricing
from contracts.nouns.network_differences import NetworkDifference
from contracts.nouns.network_models import Blob, NetworkModel
from contracts.nouns.switching_plans import GenericAction, SwitchAction, SwitchActionKind, SwitchingStep
from contracts.types import ObjectReference, Reference
from shared.codec import CONTENT_JSON, CONTENT_XML, Codec

OPEN = SwitchAction(kind=SwitchActionKind.OPEN, operated_switch=ObjectReference(mrid="f-72"))


def test_a_step_tells_its_one_action() -> None:
    assert SwitchingStep(sequence_number=1, switch_action=OPEN).action is OPEN


@pytest.mark.parametrize(
    "make",
    [
        lambda: SwitchingStep(sequence_number=1),
        lambda: SwitchingStep(sequence_number=1, switch_action=OPEN, generic_action=GenericAction()),
        lambda: EndDeviceControl(
            end_device_control_type=Reference(ref="0.0.0.0"), pan_display=PanDisplay(), pan_pricing=PanPricing()
        ),
        lambda: NetworkModel(
            mrid="m", model_format="CIM100 RDF/XML", document="<r/>", blob=Blob(reference="r", sha256="00", size=4)
        ),
        lambda: NetworkDifference(
            mrid="d",
            base_model=ObjectReference(mrid="m"),
            model_format="CIM100 RDF/XML",
            reverse_differences="<r/>",
            blob=Blob(reference="r", sha256="00", size=4),
        ),
    ],
    ids=["no action", "two actions", "two kinds of control", "two documents", "two sets of statements"],
)
def test_a_choice_that_is_not_made_as_it_must_be_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"action|kind|document|statements"):
        make()


STEP = "<SwitchingStep><sequenceNumber>1</sequenceNumber></SwitchingStep>"
GROUP = f"<SwitchingStepGroups><sequenceNumber>1</sequenceNumber>{STEP}</SwitchingStepGroups>"
PLAN = f"<SwitchingPlan><mRID>p</mRID>{GROUP}</SwitchingPlan>"
XML = (
    '<EventMessage xmlns="http://iec.ch/TC57/2011/schema/message">'
    "<Header><Verb>created</Verb><Noun>SwitchingPlans</Noun></Header>"
    f'<Payload><SwitchingPlans xmlns="http://iec.ch/TC57/2021/SwitchingPlans#">{PLAN}</SwitchingPlans></Payload>'
    "</EventMessage>"
)
JSON = (
    '{"EventMessage": {"Header": {"Verb": "created", "Noun": "SwitchingPlans"}, "Payload": {"SwitchingPlans": '
    '{"SwitchingPlan": [{"mRID": "p", "SwitchingStepGroups": [{"sequenceNumber": 1, '
    '"SwitchingStep": [{"sequenceNumber": 1}]}]}]}}}}'
)


@pytest.mark.parametrize(("document", "content_type"), [(XML, CONTENT_XML), (JSON, CONTENT_JSON)])
def test_a_received_plan_with_a_step_without_action_is_malformed(document: str, content_type: str) -> None:
    with pytest.raises(Malformed, match="has 0 actions"):
        Codec(CATALOGUE).decode(document.encode(), content_type)
