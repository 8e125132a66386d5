"""Every command that the README and the first hour tell is run, and prints what they say.

A block of shell is typed line by line, as `busbar` in the state folder of one installation. What runs on, such as `up`,
runs until the next one that does. Figures may differ from what is printed in a document, words may not.
"""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.conftest import ROOT, Shell

BLOCK = re.compile(r"^```(shell|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUNS_ON = {"up": "Ready", "run": "Running", "--stay": "}"}
"""What runs until it is stopped, and how the line begins that says that it is there."""

LEFT_OUT = ("--faults 12", "--chaos", "tail")
"""Commands that take minutes, are tried elsewhere, or wait for another; only that there are such words is looked up."""

FOLDERS = ("town", "page")
"""What documents write into."""


def blocks(document: str) -> Iterator[tuple[str, str]]:
    """The kind and the text of each block."""
    for found in BLOCK.finditer((ROOT / document).read_text(encoding="utf-8")):
        yield found[1], found[2]


def commands(text: str) -> list[str]:
    """The lines of a block of shell without their remarks."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line.removeprefix(".venv/bin/") for line in lines if line]


def shape(line: str) -> str:
    """A line without its figures and without how they are set."""
    return re.sub(r"[\d.,:]+", "#", " ".join(line.split()))


class Reader:
    """Somebody who types what a document says."""

    def __init__(self, shell: Shell, folder: Path) -> None:
        self.shell = shell
        self.folder = folder
        self.printed: set[str] = set()
        self.thread = ""
        self.running: subprocess.Popen[str] | None = None

    def type(self, line: str) -> None:
        if line.startswith("make "):
            target = line.split()[1]
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), line
            if target == "up":
                self.stay("up")
            return
        words = [self.placed(word) for word in line.split()[1:]]
        if any(each in line for each in LEFT_OUT):
            told = self.shell.call(words[0], "--help").stdout
            assert [word for word in words if word.startswith("--") and word not in told] == [], line
        elif words[0] in RUNS_ON or "--stay" in words:
            self.stay(*words)
        else:
            done = self.shell.call(*words, timeout_s=240)
            assert done.returncode == 0, f"{line}\n{done.stderr[-2000:]}"
            self.printed |= {shape(each) for each in done.stdout.splitlines()}

    def placed(self, word: str) -> str:
        """A word of a command: a folder of ours, the thread that was told, or as it stands."""
        if word.partition("/")[0] in FOLDERS:
            return str(self.folder / word)
        return word.replace("THREAD", self.thread).strip("'")

    def stay(self, *words: str) -> None:
        """Start what runs on; what ran before is stopped, unless this joins it."""
        if words[0] != "run":
            self.leave()
        process = self.shell.start(*words)
        assert process.stdout is not None
        ready = RUNS_ON["--stay" if "--stay" in words else words[0]]
        lines = []
        for text in process.stdout:
            lines.append(text)
            if text.startswith(ready):
                break
        else:
            pytest.fail(f"busbar {' '.join(words)} ended before it was ready")
        if "--stay" in words:
            self.thread = json.loads("".join(lines))["threads"][0]
        if words[0] != "run":
            self.running = process

    def leave(self) -> None:
        if self.running is not None:
            self.running.send_signal(signal.SIGINT)
            self.running.communicate(timeout=30)
            self.running = None


@pytest.mark.parametrize("document", ["README.md", "docs/first-hour.md"])
def test_every_command_of_a_document_runs_and_prints_what_the_document_says(
    document: str, shell: Shell, tmp_path: Path
) -> None:
    reader = Reader(shell, tmp_path)
    said: list[str] = []
    for kind, text in blocks(document):
        if kind == "text":
            said += [shape(line) for line in text.splitlines() if line.strip() and line.strip() != "..."]
            continue
        for line in commands(text):
            reader.type(line)
    reader.leave()
    assert reader.printed
    assert [line for line in said if line not in reader.printed] == []
