"""Levels, moments, trace ids and clean texts: the values that lines are made of."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.lines import Level, Origin
from pipelines.ingest.records.building import NO_TRACE, LinesBuilder, Written
from pipelines.ingest.records.cleaned import LONGEST, cleaned
from pipelines.ingest.records.flaws import Flaw, Flaws
from pipelines.ingest.records.levels import WORDS, Scale, level_of
from pipelines.ingest.records.moments import at_of
from pipelines.ingest.records.trace_ids import trace_of

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)


@pytest.mark.parametrize(
    ("scale", "numbers"),
    [
        (Scale.OTEL, (1, 5, 9, 13, 17, 21)),
        (Scale.PINO, (10, 20, 30, 40, 50, 60)),
        (Scale.PYTHON, (5, 10, 20, 30, 40, 50)),
        (Scale.LOGBACK, (5_000, 10_000, 20_000, 30_000, 40_000, 50_000)),
        (Scale.SYSLOG, (None, 7, 6, 4, 3, 2)),
    ],
)
def test_numbers_of_each_scale(scale: Scale, numbers: tuple[int | None, ...]) -> None:
    """What 30 means depends on who wrote it."""
    levels = list(Level)[1:]
    for level, number in zip(levels, numbers, strict=True):
        if number is not None:
            assert level_of(number, scale) is level
            assert level_of(str(number), scale) is level


@given(SCALARS, st.sampled_from(Scale))
def test_anything_has_a_level_or_none(value: object, scale: Scale) -> None:
    """Whatever a field for the level holds, a line is not lost for it."""
    assert level_of(value, scale) in Level


@given(st.integers(0, 200), st.integers(0, 200), st.sampled_from(Scale))
def test_levels_rise_with_their_numbers(low: int, high: int, scale: Scale) -> None:
    """A graver number is no lesser level: but for syslog, whose numbers fall."""
    low, high = sorted((low, high))
    first, second = level_of(low, scale), level_of(high, scale)
    if Level.UNKNOWN not in {first, second}:
        assert first >= second if scale is Scale.SYSLOG else first <= second


@pytest.mark.parametrize("word", ["ERROR2", "Error", " error ", "ERROR+2", "severe", "E"])
def test_words_for_an_error(word: str) -> None:
    """Case, blanks and what stands behind a word do not matter."""
    assert level_of(word) is Level.ERROR


def test_words_are_of_one_level_each() -> None:
    """A word that stood twice would be what its last place says."""
    assert level_of("notice") is Level.INFO
    assert all(word == word.lower() for word in WORDS)


@given(SCALARS)
def test_anything_is_a_moment_or_none(value: object) -> None:
    """A time is in a range that arrays of milliseconds hold."""
    at = at_of(value)
    assert at is None or abs(at) < 2**53


@given(st.datetimes(timezones=st.just(ZoneInfo("UTC"))).filter(lambda one: one.year > 1971))
def test_moments_come_back_from_their_text(moment: datetime) -> None:
    """ISO 8601 to the millisecond, whatever the day."""
    text = moment.isoformat(timespec="milliseconds")
    assert at_of(text) == round(moment.replace(microsecond=0).timestamp()) * 1000 + (
        moment.microsecond // 1000
    )


@pytest.mark.parametrize("text", ["2024-13-01 00:00:00", "2024-02-30T00:00:00Z", "soon", "", "12"])
def test_what_is_no_moment(text: str) -> None:
    """A day that there is not is no day near it."""
    assert at_of(text) is None


def test_a_leap_second_is_the_last_of_its_minute() -> None:
    """It comes once in years, and must not lose its line."""
    assert at_of("2016-12-31T23:59:60Z") == at_of("2016-12-31T23:59:59Z")


@given(st.binary(min_size=16, max_size=16).filter(lambda raw: raw != NO_TRACE))
def test_trace_ids_come_back(raw: bytes) -> None:
    """As hexadecimal digits, with and without dashes, and within a `traceparent`."""
    text = raw.hex()
    dashed = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
    forms = (text, text.upper(), dashed, f"00-{text}-b7ad6b7169203331-01")
    assert {trace_of(form) for form in forms} == {raw}


def test_trace_ids_of_amazon() -> None:
    """X-Ray splits the id at its time."""
    told = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8"
    assert trace_of(told).hex() == "5759e988bd862e3fe1be46a994272793"


@given(SCALARS)
def test_anything_is_a_trace_id_or_none(value: object) -> None:
    """Sixteen bytes, always: they go into one array."""
    assert len(trace_of(value)) == 16


def clean(line: bytes) -> tuple[str, dict[str, int]]:
    flaws: Counter[Flaw] = Counter()
    text = cleaned(line, lambda flaw: flaws.update([flaw]))
    return text, {flaw.value: count for flaw, count in flaws.items()}


@pytest.mark.parametrize(
    ("line", "text", "flaws"),
    [
        (b"plain", "plain", {}),
        ("größer".encode(), "größer", {}),
        (b"\xef\xbb\xbfmarked", "marked", {}),
        (b"ends\r", "ends", {}),
        (b"two\r\nlines\twith tabs", "two\nlines\twith tabs", {}),
        (b"\x1b[1;31mred\x1b[0m", "red", {"terminal": 1}),
        (b"\x1b]0;title\x07shown", "shown", {"terminal": 1}),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link", {"terminal": 1}),
        (b"w\x00i\x00d\x00e\x00", "wide", {"binary": 1}),
        (b"gr\xf6\xdfer", "gr\ufffd\ufffder", {"not_utf8": 1}),
        (b"over\x08\x08write", "overwrite", {"binary": 1}),
    ],
    ids=str,
)
def test_lines_are_cleaned(line: bytes, text: str, flaws: dict[str, int]) -> None:
    """What goes to a terminal, or is no text, is neither stored nor shown."""
    assert clean(line) == (text, flaws)


def test_a_character_that_the_bound_cuts_is_no_flaw() -> None:
    """A long line in German is too long, and nothing else."""
    _, flaws = clean(b"x" * (LONGEST - 1) + "ß".encode())
    assert flaws == {"too_long": 1}


@given(st.binary(max_size=200))
def test_clean_text_has_nothing_for_a_terminal(line: bytes) -> None:
    """Log injection by escape sequences ends here."""
    text, _ = clean(line)
    assert not any(ord(one) < 32 and one not in "\t\n" for one in text)
    assert "\x1b" not in text


WRITTEN = st.builds(
    Written,
    at=st.integers(0, 2**50),
    level=st.sampled_from(Level),
    origin=st.builds(Origin, service=st.sampled_from("abc")),
    text=st.binary(max_size=20),
    trace=st.binary(min_size=16, max_size=16),
)


@given(st.lists(WRITTEN, max_size=12))
def test_columns_hold_the_lines(written: list[Written]) -> None:
    """Each line comes out of the columns as it went in, each origin is named once."""
    builder = LinesBuilder()
    for line in written:
        builder.add(line)
    lines = builder.build()
    assert [lines.message(nth) for nth in range(len(lines))] == [one.text for one in written]
    assert lines.at.tolist() == [one.at for one in written]
    assert [lines.origins[place] for place in lines.origin] == [one.origin for one in written]
    assert [row.tobytes() for row in lines.trace] == [one.trace for one in written]
    assert len(set(lines.origins)) == len(lines.origins)
    assert (len(builder), builder.size) == (0, 0)


def test_flaws_are_told_by_name() -> None:
    """`/metrics` shows what there was, and nothing that never was."""
    flaws = Flaws()
    flaws.add(Flaw.BINARY)
    flaws.add(Flaw.BINARY, 2)
    assert (flaws.told(), flaws.count(Flaw.TOO_DEEP)) == ({"binary": 3}, 0)
