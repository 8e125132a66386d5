"""The register of assets: what is entered and changed, what crews and operators report, what follows for condition."""

from services.asset_management.service import assets, catalogue, condition, health, plans
from services.asset_management.service.declared import service

__all__ = ["assets", "catalogue", "condition", "health", "plans", "service"]
