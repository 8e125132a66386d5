"""MeterReadings in MessagePack straight into columns, where they are written as most are: in the shortest form."""

import re
from collections.abc import Iterator, Sequence

from msgspec import msgpack

from contracts.compact_readings import CompactReadings
from contracts.written_readings import Details, Frame, Gathered, Qualities, Row, Values, frame_of, is_wave, wave

_STRING = rb"(?:[\xa0-\xbf]|\xd9[\x20-\xff])[ -~]*+"
_STAMP = rb"(\xd6\xff[\x00-\xff]{4})"
_NUMERAL = rb"([\xa1-\xac][-.0-9]++)"
_REST = rb"|([\x00-\xff]++)"
"""What an expression does not know is the last group of its last match, so that nothing is skipped."""

_KIND = b"\xabReadingType\x81\xa3ref"
_VALUE = rb"\x82\xa9timeStamp%b\xa5value%b" % (_STAMP, _NUMERAL)
_BLOCKS = rb"([\x82\x83])\xaeIntervalBlocks\x91\x82\xb0IntervalReadings"
_END = rb"%b(%b)(?:\xa5Meter\x81\xa4mRID(%b))?(?:\xaaUsagePoint\x81\xa4mRID(%b))?" % (_KIND, *3 * [_STRING])
_QUALITY = rb"[\x81\x82](?:\xa7comment%b)?\xb2ReadingQualityType\x81\xa3ref%b" % (_STRING, _STRING)
_DETAILS = rb"(?:\xb0reportedDateTime%b)?(?:\xa6source(%b))?\xa9timeStamp%b" % (_STAMP, _STRING, _STAMP)
_QUALITIES = rb"(?:\xb0ReadingQualities([\x91-\x9f](?:%b)++))?" % _QUALITY

_array_at = re.compile(rb"([\x91-\x9f])|\xdc(\x00[\x10-\xff]|[\x01-\xff][\x00-\xff])").match
_blocks_at = re.compile(_BLOCKS).match
_end_at = re.compile(_END).match
_all_single = re.compile(rb"%b\x91%b%b%b" % (_BLOCKS, _VALUE, _END, _REST)).findall
_bare = re.compile(_VALUE + _REST)
_all_detailed = re.compile(rb"([\x81-\x85])%b(?:\xa5value%b)?%b%b" % (_DETAILS, _NUMERAL, _QUALITIES, _REST)).findall
_numerals = re.compile("[\xa1-\xac]").split

_LENGTHS, _LENGTHS_WITH_HEAD = (bytes((code - 0xA0 + more) % 256 for code in range(256)) for more in (0, 1))
"""How long the text is that has such a byte before it, and how long both are."""

_texts = msgpack.Decoder(str).decode
_qualities = msgpack.Decoder(Qualities).decode
_shortest = msgpack.Encoder().encode


def msgpack_rows(body: bytes, at: int) -> CompactReadings:
    """What an array of MeterReadings tells that is everything from a place on, to the end.

    Raises:
        ValueError: it is anything else.
    """
    count, at = _array(body, at)
    told = _all_single(body, at)
    if len(told) == count and not told[-1][-1]:
        heads, times, numerals, kinds, meters, points, _ = zip(*told, strict=True)
        if is_wave(times, kinds, meters, points) and {*heads} == {_map(meters[0], points[0])}:
            ids = [[_text(each) for each in some] if some[0] else [] for some in (meters, points)]
            return wave(_text(kinds[0]), _seconds(times[0]), _texts_of(numerals), *ids)
    gathered = Gathered(_seconds, _text, _qualities_of)
    place = at
    for row, end in _rows(body, count, at):
        gathered.add(row)
        place = end
    if place != len(body):
        raise ValueError
    return gathered.compact()


def _rows(body: bytes, count: int, at: int) -> Iterator[tuple[Row, int]]:
    """So many rows from a place on, and where each ends."""
    frame: Frame | None = None
    for _ in range(count):
        begin = _blocks_at(body, at)
        if begin is None:
            raise ValueError
        size, at = _array(body, begin.end())
        stop = body.find(_KIND, at)
        end = _end_at(body, stop) if stop >= 0 else None
        if end is None or begin[1] != _map(end[2], end[3]):
            raise ValueError
        block = body[at:stop]
        numerals = None if frame is None else frame.values(block)
        if frame is not None and numerals is not None:
            told: tuple[Sequence[bytes], Values, Details] = (frame.times, [*_texts_of(numerals)], None)
        else:
            told = _block(block)
            frame = frame_of(block, _bare.match, told[0]) if told[2] is None else frame
        if len(told[1]) != size:
            raise ValueError
        kind, meter, point = end.groups()
        at = end.end()
        ids = [None if each is None else _text(each) for each in (meter, point)]
        yield Row(_text(kind), *told, *ids), at


def _map(meter: bytes | None, point: bytes | None) -> bytes:
    """The header of a MeterReading, which has a block and an mRID or two."""
    return bytes([0x81 + bool(meter) + bool(point)])


def _block(block: bytes) -> tuple[Sequence[bytes], Values, Details]:
    """The times, values and details of a block."""
    told = _bare.findall(block)
    if told and not told[-1][-1]:
        times, numerals, _ = zip(*told, strict=True)
        return times, [*_texts_of(numerals)], None
    told = _all_detailed(block)
    if not told or told[-1][-1]:
        raise ValueError
    heads, reported, sources, times, numerals, codes, _ = zip(*told, strict=True)
    details = [*zip(reported, sources, codes, strict=True)]
    fields = [0x81 + bool(each) + sum(map(bool, detail)) for each, detail in zip(numerals, details, strict=True)]
    if b"".join(heads) != bytes(fields):
        raise ValueError
    texts = iter(_texts_of([each for each in numerals if each]))
    return times, [next(texts) if each else None for each in numerals], details


def _texts_of(numerals: Sequence[bytes]) -> Sequence[str]:
    """The texts of numbers, each written with its length in one byte before it."""
    joined = b"".join(numerals)
    begin, *texts = _numerals(joined.decode("latin-1"))
    heads = joined.translate(None, b"-.0123456789")
    # each has its header before it, and no other begins within it
    of_texts, of_all = heads.translate(_LENGTHS), heads.translate(_LENGTHS_WITH_HEAD)
    if begin or of_texts != bytes(map(len, texts)) or of_all != bytes(map(len, numerals)):
        raise ValueError
    return texts


def _array(body: bytes, at: int) -> tuple[int, int]:
    """How many items the array has whose header is at a place, in its shortest form, and where they begin."""
    head = _array_at(body, at)
    if head is None:
        raise ValueError
    return head[1][0] - 0x90 if head[1] else int.from_bytes(head[2], "big"), head.end()


def _text(written: bytes) -> str:
    """A text in its shortest form."""
    text = _texts(written)
    if _shortest(text) != written:
        raise ValueError
    return text


def _qualities_of(written: bytes) -> Qualities:
    """Codes and comments in their shortest form."""
    found = _qualities(written)
    if _shortest(found) != written:
        raise ValueError
    return found


def _seconds(written: bytes) -> int:
    """Microseconds since 1970 of a timestamp of whole seconds in its shortest form."""
    return int.from_bytes(written[2:], "big") * 1_000_000
