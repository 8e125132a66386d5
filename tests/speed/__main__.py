"""``python -m tests.speed``: the figures of ``loadtest.bench_network`` with our own reader of models beside them."""

from loadtest.bench_network import report
from tests.speed.readers import ours

if __name__ == "__main__":
    report({"ours": ours})
