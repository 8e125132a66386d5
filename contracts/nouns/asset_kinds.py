"""The kinds of asset that the public class model (CIM 17) has, for assets and for their catalogue [P]."""

from enum import StrEnum


class AssetKind(StrEnum):
    """What an asset is; most are ``other``, and ``type`` says what in words."""

    BREAKER_AIR_BLAST_BREAKER = "breakerAirBlastBreaker"
    BREAKER_BULK_OIL_BREAKER = "breakerBulkOilBreaker"
    BREAKER_INSULATING_STACK_ASSEMBLY = "breakerInsulatingStackAssembly"
    BREAKER_MINIMUM_OIL_BREAKER = "breakerMinimumOilBreaker"
    BREAKER_SF6_DEAD_TANK_BREAKER = "breakerSF6DeadTankBreaker"
    BREAKER_SF6_LIVE_TANK_BREAKER = "breakerSF6LiveTankBreaker"
    BREAKER_TANK_ASSEMBLY = "breakerTankAssembly"
    OTHER = "other"
    TRANSFORMER = "transformer"
    TRANSFORMER_TANK = "transformerTank"
