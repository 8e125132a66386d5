"""How much it bears: benchmarks and loads, each a module that is run with ``python -m``."""
