"""What is measured of our own."""

from collections.abc import Callable
from pathlib import Path

from services.network_model_management.adapters.importing import validated


def ours() -> Callable[[Path], object]:
    """The objects of a model, with all its checks."""
    return lambda file: validated(file.read_bytes())
