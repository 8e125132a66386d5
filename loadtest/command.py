"""The words of `busbar loadtest`, which is also `python -m loadtest`."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import uvloop
from msgspec import structs

from contracts.errors import BusbarError
from loadtest import comparing, report, results, scenario, sizes_page
from loadtest.running import Options, run, say
from loadtest.sizes import run_sizes
from shared.config import Context, SettingError
from shared.tools.server_process import ServerError


def execute(words: Sequence[str]) -> int:
    """Do what ``words`` say: 0 all went well, 1 not valid or worse, 2 what makes no sense, 130 broken off."""
    given = _parser().parse_args(words)
    try:
        return _WORDS[given.word](given)
    except (SettingError, ValueError) as error:
        sys.stderr.write(f"loadtest: {error}\n")
        return 2
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    except (BusbarError, ServerError) as error:
        sys.stderr.write(f"loadtest: {error}\n")
        return 1


def _run(given: argparse.Namespace) -> int:
    chosen = _chosen(given, "meters")
    options = Options(
        rounds=given.rounds,
        raw_limits=not given.no_raw_limits,
        peers=given.peers,
        search=given.search,
        sync_interval=given.sync_interval,
        processes=given.processes,
        there=given.there,
        context=given.context,
        install=not given.installed,
    )
    result = uvloop.run(run(chosen, options))
    _show(given, result, results.keep(result, result.name, given.results), report.page(result), report.text(result))
    return 0 if result.valid else 1


def _sizes(given: argparse.Namespace) -> int:
    found = uvloop.run(
        run_sizes(
            _chosen(given),
            given.meters,
            given.processes,
            rounds=given.rounds,
            sync_interval=given.sync_interval,
            say=say,
        )
    )
    file = results.keep(found, found.name, given.results / "sizes")
    _show(given, found, file, sizes_page.page(found), sizes_page.text(found))
    return 0 if found.valid else 1


def _chosen(given: argparse.Namespace, *more: str) -> scenario.Scenario:
    """The scenario that is named, with what the words change of it."""
    changes = {
        name: value
        for name in ("duration_s", "generators", "seed", "sample", "warm_up_s", "drain_s", *more)
        if (value := getattr(given, name)) is not None
    }
    chosen = structs.replace(scenario.named(given.scenario), **changes)
    return scenario.checked(chosen if given.rate is None else _at(chosen, given.rate))


def _show(given: argparse.Namespace, found: msgspec.Struct, file: Path, page: str, text: str) -> None:
    shown = given.html or file.with_suffix(".html")
    shown.write_text(page, encoding="utf-8")
    if given.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=1).decode() + "\n")
    else:
        sys.stdout.write(text)
    say(f"kept in {file}, shown in {shown}")


def _at(chosen: scenario.Scenario, rate: float) -> scenario.Scenario:
    """The scenario with its first load at another rate."""
    first, *others = chosen.loads
    return structs.replace(chosen, loads=(structs.replace(first, per_s=rate), *others))


def _compare(given: argparse.Namespace) -> int:
    first, second = (results.kept(file) for file in (given.first, given.second))
    found = comparing.compare(first, second)
    if given.json:
        told = {"verdict": found.verdict, **msgspec.to_builtins(found)}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(told), indent=1).decode() + "\n")
    else:
        sys.stdout.write(report.compared(found))
    return 1 if found.verdict in {"worse", "not comparable"} else 0


def _history(given: argparse.Namespace) -> int:
    found = [each for each in results.results(given.results) if given.scenario in {None, each.scenario}]
    if given.json:
        lines = [{name: getattr(each, name) for name in report.HISTORY} for each in found]
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(lines), indent=1).decode() + "\n")
    else:
        sys.stdout.write(report.history(found))
    return 0


def _list(given: argparse.Namespace) -> int:
    del given
    for name in scenario.names():
        sys.stdout.write(f"{name:16}{scenario.named(name).title}\n")
    return 0


_WORDS = {"run": _run, "sizes": _sizes, "compare": _compare, "history": _history, "list": _list}


def _numbers(text: str) -> list[int]:
    """Numbers with commas between them, each at least 1."""
    numbers = [int(each) for each in text.split(",")]
    if min(numbers) < 1:
        raise ValueError("a number is less than 1")
    return numbers


def _parser() -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(
        prog="busbar loadtest", description="How much a deployment bears: an open-loop driver, and its report."
    )
    commands = words.add_subparsers(dest="word", required=True, metavar="WORD")
    run_words = commands.add_parser("run", help="run a scenario", description="Run a scenario.")
    run_words.add_argument("--meters", type=int, help="the size of the fleet, up to a million")
    sizes_words = commands.add_parser(
        "sizes",
        help="cost against size: the same scenario for several fleets and numbers of processes",
        description="Run a scenario for several sizes of the fleet and numbers of processes of the role.",
    )
    sizes_words.add_argument(
        "--meters", type=_numbers, default=[10_000, 100_000], metavar="N,N", help="the sizes of the fleet"
    )
    sizes_words.add_argument("--processes", type=_numbers, default=[1, 2, 4], metavar="N,N", help="of each role")
    for each in (run_words, sizes_words):
        _add_words_of_a_run(each)
    run_words.add_argument("--search", action="store_true", help="first find the highest rate that is borne")
    run_words.add_argument("--no-raw-limits", action="store_true", help="leave out the raw limits")
    run_words.add_argument("--peers", action="store_true", help="have others do the same work, as far as installed")
    run_words.add_argument("--processes", type=int, default=1, help="of each role, where the driver makes them")
    run_words.add_argument(
        "--there",
        action="store_true",
        help="use the deployment of BUSBAR_NATS_URL and BUSBAR_CREDENTIALS, or else the one that `busbar up` noted",
    )
    run_words.add_argument("--context", choices=[*Context], help="of that deployment")
    run_words.add_argument("--installed", action="store_true", help="the meters of the fleet are known there already")
    compare_words = commands.add_parser("compare", help="hold one result against another, with a verdict")
    compare_words.add_argument("first", type=Path, metavar="A")
    compare_words.add_argument("second", type=Path, metavar="B")
    history_words = commands.add_parser("history", help="all results that are kept")
    history_words.add_argument("scenario", nargs="?", metavar="SCENARIO")
    commands.add_parser("list", help="the scenarios")
    for each in (run_words, sizes_words, history_words):
        each.add_argument("--results", type=Path, default=results.place(), metavar="FOLDER", help="where they are kept")
    for each in (run_words, sizes_words, compare_words, history_words):
        each.add_argument("--json", action="store_true", help="print JSON")
    return words


def _add_words_of_a_run(words: argparse.ArgumentParser) -> None:
    words.add_argument("scenario", metavar="SCENARIO", help=f"{', '.join(scenario.names())}, or a file of YAML")
    words.add_argument("--rounds", type=int, default=1, help="how often; the medians count")
    words.add_argument("--rate", type=float, help="of the first load: readings, events or requests a second")
    words.add_argument("--duration", dest="duration_s", type=float, help="seconds")
    words.add_argument("--warm-up", dest="warm_up_s", type=float, help="seconds at the beginning that do not count")
    words.add_argument("--drain", dest="drain_s", type=float, help="seconds until everything must be worked off")
    words.add_argument("--generators", type=int, help="processes that make the load")
    words.add_argument("--seed", type=int, help="of the fleet and of what is left to chance")
    words.add_argument("--sample", type=int, help="usage points that are read back; 0 for all")
    words.add_argument(
        "--sync-interval", default="always", help="when the driver's own broker calls fsync: always, or such as 1s"
    )
    words.add_argument("--html", type=Path, metavar="FILE", help="where the report goes")
