"""Who tells a storm while it lasts: in place on a terminal, in lines elsewhere, or nobody where a program listens."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from contracts.message import Message
from shared.tools.telling.screen import Screen, can_redraw
from shared.tools.telling.story import Story
from shared.tools.telling.words import News


class Teller(Protocol):
    """Tells what is news."""

    def say(self, lines: Iterable[str]) -> None:
        """Tell these lines, of which there may be none."""


class Lines:
    """Tells on the standard output, line by line."""

    def say(self, lines: Iterable[str]) -> None:
        """Write the lines."""
        for line in lines:
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


class Silence:
    """Tells nothing."""

    def say(self, lines: Iterable[str]) -> None:
        """Pass over the lines."""
        for _ in lines:
            pass


class Telling:
    """Hears a storm, keeps its story and has it told."""

    def __init__(self, story: Story, teller: Teller, faults: int) -> None:
        self.story = story
        self._teller = teller
        self._news = News(story, faults)

    def hear(self, message: Message[Any]) -> None:
        """Take a message into the story, and tell what is new."""
        self.story.hear(message)
        self._teller.say(self._news.of(message))

    def wait(self, text: str) -> None:
        """Nothing is heard: on a screen this is a last word as any other, elsewhere it goes to people alone."""
        if isinstance(self._teller, Screen):
            self._teller.say([text])
        else:
            sys.stderr.write(f"{text}\n")


@contextmanager
def telling(story: Story, *, title: str, faults: int, as_json: bool, environ: Mapping[str, str]) -> Iterator[Telling]:
    """Have a story told for the time of the block, in the way that suits whoever listens."""
    if as_json:
        yield Telling(story, Silence(), faults)
    elif can_redraw(sys.stdout, environ):
        colour = not environ.get("NO_COLOR")
        with Screen(sys.stdout, story, title=title, faults=faults, colour=colour) as screen:
            yield Telling(story, screen, faults)
    else:
        yield Telling(story, Lines(), faults)
