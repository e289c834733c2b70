"""A backtest at a terminal: a line for each rollout, then what they add up to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from detector.backtest.course import Course, Poll
from detector.backtest.score import Score, differences, score
from detector.backtest.words import minutes, place, total_rows
from detector.gate.verdict import Outcome

__all__ = ["print_backtest"]

_SIGNS = {Outcome.PASS: "✓", Outcome.FAIL: "✗", Outcome.INCONCLUSIVE: "·"}
_COLOURS = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.INCONCLUSIVE: "yellow"}
_WIDTH = 24
_KEY = "· undecided  ✓ pass  ✗ fail; first pass and fail in minutes from the start"


def print_backtest(out: Console, names: Sequence[str], columns: Sequence[Sequence[Course]]) -> None:
    """Print rollouts and totals; two policies stand side by side."""
    for name, courses in zip(names, columns, strict=True):
        out.print(_rollouts(name, courses))
        for course in courses:
            if course.problem is not None:
                out.print(f"  {place(course)}: {course.problem}", style="red", highlight=False)
    out.print(_KEY, style="dim", highlight=False)
    out.print()
    out.print(_totals(names, [score(courses) for courses in columns]))
    if len(columns) == 2:
        _print_differences(out, names, columns)


def _rollouts(name: str, courses: Sequence[Course]) -> Table:
    table = Table(title=f"policy {name}", title_justify="left", box=None, pad_edge=False)
    for head in ("line", "rollout", "began", "truth"):
        table.add_column(head, no_wrap=head != "rollout")
    for head in ("pass", "fail"):
        table.add_column(head, justify="right", no_wrap=True)
    for head in ("ended", "at each poll"):
        table.add_column(head, no_wrap=True)
    size = max(1, math.ceil(max(len(course.polls) for course in courses) / _WIDTH))
    for course in courses:
        table.add_row(*_row(course, size))
    return table


def _row(course: Course, size: int) -> tuple[str | Text, ...]:
    of = course.rollout
    began = datetime.fromtimestamp(of.start, UTC).strftime("%m-%d %H:%M")
    ended = Text(course.end.value, _COLOURS[course.end]) if course.is_judged else Text("unread")
    return (
        str(of.line or ""),
        of.name,
        began,
        "?" if of.truth is None else of.truth.value,
        _since(course, course.first_pass),
        _since(course, course.first_fail, course.signal),
        ended,
        _strip(course.polls, size),
    )


def _since(course: Course, poll: Poll | None, signal: str | None = None) -> str:
    if poll is None:
        return "–"
    span = minutes(poll.at - course.rollout.start)
    return f"{signal} {span}" if signal else span


def _strip(polls: Sequence[Poll], size: int) -> Text:
    """The answers, `size` of them drawn together: each sign is the worst of its polls."""
    text = Text()
    for begin in range(0, len(polls), size):
        worst = _worst([poll.outcome for poll in polls[begin : begin + size]])
        text.append(_SIGNS[worst], _COLOURS[worst])
    return text


def _worst(outcomes: Sequence[Outcome]) -> Outcome:
    order = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS)
    return min(outcomes, key=order.index)


def _totals(names: Sequence[str], scores: Sequence[Score]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("in total")
    for name in names:
        table.add_column(f"policy {name}")
    for first, *others in zip(*(total_rows(one) for one in scores), strict=True):
        table.add_row(*first, *(words for _, words in others))
    return table


def _print_differences(
    out: Console, names: Sequence[str], columns: Sequence[Sequence[Course]]
) -> None:
    found = differences(*columns)
    if not found:
        out.print("\nBoth policies end every rollout alike.")
        return
    out.print(f"\n{len(found)} rollouts end otherwise under {names[1]}:")
    for one in found:
        ends = f"{one.one.end} → {one.other.end}"
        truth = one.one.rollout.truth
        out.print(f"  {place(one.one)}: {ends}, {truth or 'truth unknown'}", highlight=False)
