"""How a model hangs together: the nodes of its equipment, its zones, and what supplies a zone at low voltage."""

from collections import defaultdict
from itertools import pairwise

from services.network_model_management.domain.model import BRANCHES, CONDUCTING, CimObject, Model
from services.network_model_management.domain.phases import NONE, is_leg
from services.network_model_management.domain.switches import is_normally_open
from services.network_model_management.domain.transformers import end_number, ends_of, primary_phases, voltage_of
from services.network_model_management.domain.zones import Zones

LOW_VOLTAGE_V = 1000.0
"""Up to this nominal voltage a winding supplies customers directly (IEC 60038)."""


class Connectivity:
    """The nodes of each conducting equipment and what they make together in the normal state.

    Attributes:
        equipment: all conducting equipment, by name.
        nodes: the nodes of each by its identifier: by terminal for most, by winding for a transformer.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.equipment = model.of(*CONDUCTING)
        self.nodes = {each.id: self._nodes_of(each) for each in self.equipment}
        self._zones = self.joined(BRANCHES)
        self._transformer_of_zone: dict[str, CimObject] = {}
        self._legs_of_zone: defaultdict[str, frozenset[str]] = defaultdict(lambda: NONE)
        for transformer in model.of("PowerTransformer"):
            self._supply_zones(transformer)

    def joined(self, kinds: frozenset[str], *, open_too: bool = False) -> Zones:
        """The zones that the equipment of these classes makes of the nodes, by default in the normal state."""
        zones = Zones()
        for each in self.equipment:
            if each.kind in kinds and (open_too or not is_normally_open(self._model, each)):
                for one, other in pairwise(self.nodes[each.id]):
                    zones.join(one.id, other.id)
        return zones

    def supplier(self, node: CimObject) -> CimObject | None:
        """The transformer that supplies the zone of a node at low voltage."""
        return self._transformer_of_zone.get(self._zones.find(node.id))

    def leg_phases(self, node: CimObject) -> frozenset[str]:
        """The primary phases from which the legs ``s1`` and ``s2`` at a node come."""
        return self._legs_of_zone[self._zones.find(node.id)]

    def _nodes_of(self, equipment: CimObject) -> tuple[CimObject, ...]:
        by_id = self._model.by_id
        if equipment.kind == "PowerTransformer":
            terminals = [by_id[end.link("TransformerEnd.Terminal")] for end in ends_of(self._model, equipment)]
            nodes = [by_id[terminal.link("Terminal.ConnectivityNode")] for terminal in terminals]
            return tuple({node.id: node for node in nodes}.values())
        terminals = sorted(
            self._model.pointing("Terminal.ConductingEquipment", equipment),
            key=lambda each: int(each.values.get("ACDCTerminal.sequenceNumber", "0")),
        )
        return tuple(by_id[terminal.link("Terminal.ConnectivityNode")] for terminal in terminals)

    def _supply_zones(self, transformer: CimObject) -> None:
        """Note which zones the transformer supplies at low voltage, and which phase the legs of a zone come from."""
        for end in ends_of(self._model, transformer):
            terminal = self._model.by_id[end.link("TransformerEnd.Terminal")]
            zone = self._zones.find(terminal.link("Terminal.ConnectivityNode"))
            legs = is_leg(end.values.get("TransformerTankEnd.orderedPhases", ""))
            if legs:
                self._legs_of_zone[zone] |= primary_phases(self._model, transformer)
            if legs or (end_number(end) > 1 and voltage_of(self._model, end) <= LOW_VOLTAGE_V):
                self._transformer_of_zone.setdefault(zone, transformer)
