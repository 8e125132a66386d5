"""The service as it is declared; its handlers stand in the modules beside this one."""

import os

from contracts.interfaces.network_operation import NETWORK_OPERATION
from services.network_operation.config import rules_from
from services.network_operation.store import Memory, Store
from shared.service import Service

service = Service(NETWORK_OPERATION, store=Store, memory=lambda: Memory(rules_from(os.environ)))
