"""MeterReadings in plain XML straight into columns, where they are written as most are."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache

from contracts.compact_readings import CompactReadings
from contracts.condensed_readings import microseconds
from contracts.nouns.reading_types import ReadingQuality
from contracts.types import Reference
from contracts.written_readings import Details, Frame, Gathered, Qualities, Row, Values, frame_of, is_wave, wave

XmlRows = Callable[[str, int], tuple[CompactReadings, int]]

_TIME = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])")


def _xml_interval(prefix: str, *, detailed: bool) -> str:
    """The expression for one value: its time and number, and before the number what else there is, if ``detailed``."""
    blank, number = "[ \t\n]*+", "-?[0-9]++(?:\\.[0-9]++)?"

    def leaf(name: str, text: str) -> str:
        return f"<{prefix}{name}>{text}</{prefix}{name}>{blank}"

    quality = (
        f"<{prefix}ReadingQualities>{blank}(?:{leaf('comment', '[^<]*+')})?"
        f'<{prefix}ReadingQualityType ref="[^"<\t\n]*+" ?(?:/>|>{blank}</{prefix}ReadingQualityType>){blank}'
        f"</{prefix}ReadingQualities>{blank}"
    )
    time, value = leaf("timeStamp", "([^<]*+)"), leaf("value", f"({number})")
    told = f"{time}{value}"
    if detailed:
        reported, source = leaf("reportedDateTime", "([^<]++)"), leaf("source", "([^<]++)")
        told = f"(?:{reported})?(?:{source})?{time}(?:{value})?((?:{quality})*+)"
    return f"<{prefix}IntervalReadings>{blank}{told}</{prefix}IntervalReadings>{blank}"


class _XmlRows:
    """Reads every MeterReading of a text from a place on.

    What an expression does not know is the last group of its last match, so that nothing is skipped.
    """

    def __init__(self, prefix: str) -> None:
        blank, name = "[ \t\n]*+", re.escape(prefix)
        begin = f"<{name}MeterReading>{blank}<{name}IntervalBlocks>{blank}"
        mrid = f"<{name}mRID>([^<]*+)</{name}mRID>{blank}"
        end = (
            f'<{name}ReadingType ref="([^"<\t\n]*+)" ?(?:/>|>{blank}</{name}ReadingType>){blank}'
            f"</{name}IntervalBlocks>{blank}(?:<{name}Meter>{blank}{mrid}</{name}Meter>{blank})?"
            f"(?:<{name}UsagePoint>{blank}{mrid}</{name}UsagePoint>{blank})?</{name}MeterReading>{blank}"
        )
        bare = _xml_interval(name, detailed=False)
        self._wave = re.compile(f"{begin}{bare}{end}|(.++)", re.DOTALL).findall
        self._begin = re.compile(begin).match
        self._end = re.compile(f"{end}({begin})?").match
        self._bare = re.compile(f"{bare}|(.++)", re.DOTALL)
        self._detailed = re.compile(f"{_xml_interval(name, detailed=True)}|(.++)", re.DOTALL).findall
        leaf = f"<{name}comment>([^<]*+)</{name}comment>{blank}"
        self._code = re.compile(f'{blank}(?:{leaf})?<{name}ReadingQualityType ref="([^"]*+)"').match
        self._quality, self._kind = f"<{prefix}ReadingQualities>", f"<{prefix}ReadingType "
        self._reading = f"<{prefix}MeterReading>"

    def read(self, text: str, at: int) -> tuple[CompactReadings, int]:
        """All of them in columns, and where they end.

        Raises:
            ValueError: there is none, or one that is written in another way.
        """
        told = self._wave(text, at)
        rest = told.pop()[-1] if told and told[-1][-1] else ""
        if told and not rest.startswith(self._reading):
            times, values, kinds, meters, points, _ = zip(*told, strict=True)
            if is_wave(times, kinds, meters, points):
                ids = [some if some[0] else () for some in (meters, points)]
                return wave(kinds[0], _instant(times[0]), values, *ids), len(text) - len(rest)
        gathered = Gathered(_instant, str, self._qualities)
        for row, place in self._rows(text, at):
            gathered.add(row)
            at = place
        return gathered.compact(), at

    def _rows(self, text: str, at: int) -> Iterator[tuple[Row, int]]:
        frame: Frame | None = None
        found = self._begin(text, at)
        while found is not None and found[found.re.groups] is not None:
            at = found.end()
            stop = text.find(self._kind, at)
            block = text[at:stop]
            found = self._end(text, stop) if stop >= 0 else None
            if found is None:
                raise ValueError
            code, meter, point, _ = found.groups()
            values = None if frame is None else frame.values(block)
            if frame is not None and values is not None:
                yield Row(code, frame.times, values, None, meter, point), found.end()
                continue
            times, values, details = self._block(block)
            if details is None:
                frame = frame_of(block, self._bare.match, times)
            yield Row(code, times, values, details, meter, point), found.end()

    def _block(self, block: str) -> tuple[Sequence[str], Values, Details]:
        """The times, values and details of a block."""
        told = self._bare.findall(block)
        if told and not told[-1][-1]:
            times, values, _ = zip(*told, strict=True)
            return times, [*values], None
        told = self._detailed(block)
        if not told or told[-1][-1]:
            raise ValueError
        reported, sources, times, values, codes, _ = zip(*told, strict=True)
        return times, [each or None for each in values], [*zip(reported, sources, codes, strict=True)]

    def _qualities(self, text: str) -> Qualities:
        found = [self._code(each) for each in text.split(self._quality)[1:]]
        if None in found:
            raise ValueError
        return tuple(
            ReadingQuality(comment=each[1], reading_quality_type=Reference(ref=each[2])) for each in found if each
        )


@lru_cache(maxsize=16)
def xml_rows(prefix: str) -> XmlRows:
    """What reads every MeterReading of a text from a place on, and says where they end.

    In the text is no reference to a character, and nothing else that is not plain.

    Args:
        prefix: of the profile, with its colon, or nothing.
    """
    return _XmlRows(prefix).read


def _instant(written: str) -> int:
    """Microseconds since 1970 of a time in whole seconds with its offset."""
    if _TIME.fullmatch(written) is None:
        raise ValueError
    return microseconds(datetime.fromisoformat(written))
