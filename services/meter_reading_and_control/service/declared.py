"""The service as it is declared; its handlers stand in the modules beside this one."""

import os

from contracts.interfaces.meter_reading_and_control import METER_READING_AND_CONTROL
from services.meter_reading_and_control.config import config_from
from services.meter_reading_and_control.store import Store
from shared.service import Service

service = Service(METER_READING_AND_CONTROL, store=Store, memory=lambda: config_from(os.environ))
