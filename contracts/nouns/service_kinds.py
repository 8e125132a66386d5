"""Enumerations about services and customers that are equal in the profiles of Parts 6 and 9.

Source: the public copies of the profiles. How sure: read there, not compared with the published text [S].
"""

from enum import StrEnum


class CustomerKind(StrEnum):
    """What kind of customer it is."""

    COMMERCIAL_INDUSTRIAL = "commercialIndustrial"
    ENERGY_SERVICE_SCHEDULER = "energyServiceScheduler"
    ENERGY_SERVICE_SUPPLIER = "energyServiceSupplier"
    INTERNAL_USE = "internalUse"
    OTHER = "other"
    PUMPING_LOAD = "pumpingLoad"
    RESIDENTIAL = "residential"
    RESIDENTIAL_AND_COMMERCIAL = "residentialAndCommercial"
    RESIDENTIAL_AND_STREETLIGHT = "residentialAndStreetlight"
    RESIDENTIAL_FARM_SERVICE = "residentialFarmService"
    RESIDENTIAL_STREETLIGHT_OTHERS = "residentialStreetlightOthers"
    WIND_MACHINE = "windMachine"


class MeterMultiplierKind(StrEnum):
    """What a factor of a meter stands for."""

    CT_RATIO = "ctRatio"
    KE = "kE"
    KH = "kH"
    KR = "kR"
    PT_RATIO = "ptRatio"
    TRANSFORMER_RATIO = "transformerRatio"


class ServiceKind(StrEnum):
    """The kinds of service."""

    ELECTRICITY = "electricity"
    GAS = "gas"
    HEAT = "heat"
    INTERNET = "internet"
    OTHER = "other"
    RATES = "rates"
    REFUSE = "refuse"
    SEWERAGE = "sewerage"
    TIME = "time"
    TV_LICENCE = "tvLicence"
    WATER = "water"


class ServiceMultiplierKind(StrEnum):
    """What a factor of a usage point stands for."""

    CT_RATIO = "ctRatio"
    PT_RATIO = "ptRatio"
    TRANSFORMER_RATIO = "transformerRatio"


class SupplierKind(StrEnum):
    """What kind of supplier it is."""

    OTHER = "other"
    RETAILER = "retailer"
    UTILITY = "utility"


class UsagePointConnectedKind(StrEnum):
    """Whether a usage point is connected."""

    CONNECTED = "connected"
    LOGICALLY_DISCONNECTED = "logicallyDisconnected"
    PHYSICALLY_DISCONNECTED = "physicallyDisconnected"
