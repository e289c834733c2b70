"""Traces drawn by hand, with where their time went worked out by hand.

A line of a drawing is a span, indented below its parent: `name start-end`, then `@host` for
another clock and `~` where nobody waits for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pytest

from models.traces.critical import TOLERANCE_NS, Times, times_of
from models.traces.tree import NO_PARENT, tree_of

LINE = re.compile(
    r"(?P<name>\w+) (?P<start>-?\d+)-(?P<end>-?\d+)(?: @(?P<host>\w+))?(?P<alone> ~)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Where the time of a drawing went, by name; what is 0 is left out."""

    path: dict[str, int]
    own: dict[str, int]


def drawn(text: str, *, root: str = "", tolerance: int = 0) -> Drawn:
    """The times of a drawing from a root on, the first where it is not told."""
    names: list[str] = []
    rows: list[tuple[int, int, int, int, bool]] = []
    above: list[tuple[int, int]] = []
    hosts: dict[str, int] = {"": 0}
    for line in filter(str.strip, text.splitlines()):
        depth = len(line) - len(line.lstrip())
        found = LINE.fullmatch(line.strip())
        assert found is not None, line
        above = [one for one in above if one[0] < depth]
        parent = above[-1][1] if above else NO_PARENT
        host = rows[parent][3] if found["host"] is None and above else 0
        if found["host"]:
            host = hosts.setdefault(found["host"], len(hosts))
        rows.append((int(found["start"]), int(found["end"]), parent, host, bool(found["alone"])))
        above.append((depth, len(names)))
        names.append(found["name"])
    start, end, parent_of, host_of = (
        np.array([row[n] for row in rows], dtype=np.int64) for n in range(4)
    )
    is_async = np.array([row[4] for row in rows], dtype=np.bool_)
    tree = tree_of(start, end - start, parent_of, host_of, is_async)
    return _named(names, times_of(tree, names.index(root) if root else 0, tolerance=tolerance))


def _named(names: list[str], times: Times) -> Drawn:
    path, own = (
        {name: int(value) for name, value in zip(names, column, strict=True) if value}
        for column in times
    )
    return Drawn(path=path, own=own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A drawing and what is known of it; `own` where it is not as `path`."""

    text: str
    path: dict[str, int]
    own: dict[str, int] | None = None


CASES = {
    "alone": Case(text="a 0-100", path={"a": 100}),
    "of no length": Case(text="a 50-50\n b 50-50", path={}),
    "a child of its whole length": Case(text="a 0-100\n b 0-100", path={"b": 100}),
    "gaps before, between and behind": Case(
        text="a 0-100\n b 10-30\n c 50-80", path={"a": 50, "b": 20, "c": 30}
    ),
    "retries": Case(text="a 0-100\n b 0-30\n c 30-60\n d 60-100", path={"b": 30, "c": 30, "d": 40}),
    "retries that wait longer each time": Case(
        text="a 0-100\n b 0-10\n c 20-30\n d 50-60", path={"a": 70, "b": 10, "c": 10, "d": 10}
    ),
    "a fan of calls": Case(
        text="a 0-100\n b 10-40\n c 10-90\n d 10-60\n e 10-20",
        path={"a": 20, "c": 80},
        own={"a": 20, "b": 30, "c": 80, "d": 50, "e": 10},
    ),
    "two fans, one after the other": Case(
        text="a 0-100\n b 0-30\n c 0-50\n d 50-70\n e 50-100",
        path={"c": 50, "e": 50},
        own={"b": 30, "c": 50, "d": 20, "e": 50},
    ),
    "below the slower of two": Case(
        text="a 0-100\n b 0-90\n  c 10-80\n d 0-80\n  e 0-80",
        path={"a": 10, "b": 20, "c": 70},
        own={"a": 10, "b": 20, "c": 70, "e": 80},
    ),
    "overlapping": Case(
        text="a 0-100\n b 0-60\n c 40-100", path={"a": 40, "c": 60}, own={"b": 60, "c": 60}
    ),
    "an overlap that lets an earlier one in": Case(
        text="a 0-100\n b 0-30\n c 20-60\n d 50-100",
        path={"a": 20, "b": 30, "d": 50},
        own={"b": 30, "c": 40, "d": 50},
    ),
    "nobody waits for a message": Case(
        text="a 0-100\n b 20-30\n  c 25-400 ~\n   d 30-390", path={"a": 90, "b": 10}
    ),
    "a message within": Case(text="a 0-100\n b 20-80 ~\n  c 30-60", path={"a": 100}),
    "beyond its parent's end": Case(text="a 0-100\n b 60-170", path={"a": 60, "b": 40}),
    "before its parent's beginning": Case(text="a 0-100\n b -50-30", path={"a": 70, "b": 30}),
    "around its parent": Case(text="a 0-100\n b -50-150", path={"b": 100}),
    "behind its parent": Case(text="a 0-100\n b 110-150\n  c 120-130", path={"a": 100}),
    "beyond the end, and a child of that": Case(
        text="a 0-100\n b 60-170\n  c 70-90\n  d 95-160", path={"a": 60, "b": 15, "c": 20, "d": 5}
    ),
    "a longer child of a cut one": Case(
        text="a 0-100\n b 80-300\n  c 150-200", path={"a": 80, "b": 20}
    ),
    "a clock that is ahead": Case(
        text="a 0-100\n b 20-80\n  c 5030-5070 @x\n   d 5040-5060",
        path={"a": 40, "b": 20, "c": 20, "d": 20},
    ),
    "a clock that is behind": Case(
        text="a 0-100\n b 20-80\n  c -970--930 @x\n   d -960--940",
        path={"a": 40, "b": 20, "c": 20, "d": 20},
    ),
    "a clock that is a little ahead": Case(
        text="a 0-100\n b 20-80\n  c 50-90 @x", path={"a": 40, "b": 20, "c": 40}
    ),
    "another host that is within": Case(
        text="a 0-100\n b 20-80\n  c 21-61 @x", path={"a": 40, "b": 20, "c": 40}
    ),
    "three clocks": Case(
        text="a 0-100\n b 1000-1080 @x\n  c 5-45 @y\n   d 5000-5020 @z",
        path={"a": 20, "b": 40, "c": 20, "d": 20},
    ),
    "there and back": Case(
        text="a 0-100\n b 1010-1090 @x\n  c 30-50 @y", path={"a": 20, "b": 60, "c": 20}
    ),
    "longer by another clock than the call": Case(
        text="a 0-100\n b 500-700 @x\n  c 560-580", path={"b": 80, "c": 20}
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_time_went_where_the_drawing_says(case: Case) -> None:
    """A verdict says where a canary waits: these are what a person would say who looks at it."""
    found = drawn(case.text)
    assert found.path == case.path
    assert found.own == (case.own or case.path)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_later_day_makes_no_difference(case: Case) -> None:
    """Times are nanoseconds since 1970, and as large as that."""
    day = 1_790_000_000_000_000_000
    later = re.sub(r"(-?\d+)-(-?\d+)", lambda m: f"{day + int(m[1])}-{day + int(m[2])}", case.text)
    assert drawn(later).path == case.path


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_below_a_root_all_is_as_it_is_alone(case: Case) -> None:
    """A request within a larger trace is looked at for itself."""
    inner = "z 0-100000\n" + "\n".join(f" {line}" for line in case.text.splitlines())
    assert drawn(inner, root="a").path == case.path


def test_what_is_beside_the_root_counts_for_nothing() -> None:
    """Other requests of the same trace are looked at by themselves."""
    text = "z 0-100\n a 0-50\n  b 10-20\n c 50-90\n  d 60-70"
    assert drawn(text, root="a").path == {"a": 40, "b": 10}
    assert drawn(text, root="c").path == {"c": 30, "d": 10}
    assert drawn(text, root="d").path == {"d": 10}


@pytest.mark.parametrize(("overlap", "waits"), [(0, True), (50, True), (51, False)])
def test_clocks_are_taken_to_be_as_coarse_as_is_said(overlap: int, waits: bool) -> None:
    """Fifty microseconds: two calls one after the other are never further into each other."""
    assert TOLERANCE_NS == 50_000
    text = f"a 0-1000\n b 0-{500 + overlap}\n c 500-1000"
    assert ("b" in drawn(text, tolerance=50).path) is waits


def test_what_ends_together_is_the_later_to_begin() -> None:
    """Of two that end at once the shorter is waited for, then what ended before it began."""
    assert drawn("a 0-100\n b 0-100\n c 60-100").path == {"a": 60, "c": 40}
    assert drawn("a 0-100\n b 0-60\n c 0-100\n d 60-100").path == {"b": 60, "d": 40}
