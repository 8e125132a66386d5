"""The service as it is declared; its handlers stand in the modules beside this one."""

from contracts.interfaces.asset_management import ASSET_MANAGEMENT
from services.asset_management.store import Store
from shared.service import Service

service = Service(ASSET_MANAGEMENT, store=Store)
