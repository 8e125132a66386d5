"""Being found: each role answers PING, INFO and STATS of the NATS service API (ADR-32), which any NATS tool can ask.

Requests are not served this way, since ``nats.micro`` handles one at a time; so no endpoints are named.
"""

from nats.micro import add_service
from nats.micro.service import Service

from contracts.interface import Interface
from shared.bus.connection import Bus

IMPLEMENTATION = "reference"
"""What the metadata say of a role that is not taken by a product."""


async def announce(bus: Bus, interface: Interface) -> Service:
    """Answer for ``interface`` on the connection of its role, until the returned service is stopped."""
    return await add_service(
        bus._client,  # noqa: SLF001  the parts of the bus share its client
        name=f"{bus.space.root}-{bus.space.context}-{interface.role}",
        version=f"{interface.revision}.0.0",
        description=interface.title,
        metadata={
            "role": interface.role,
            "context": bus.space.context,
            "part": interface.part,
            "revision": interface.revision,
            "implementation": IMPLEMENTATION,
        },
    )
