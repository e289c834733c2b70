"""A report in a terminal: its gist, then each resource, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from api.reports.view import View, view_of
from api.reports.words import Wall
from detector.capacity.report import LeftOut, Report
from detector.logs.plain import plain

__all__ = ["print_report"]

_COLOURS = {"fail": "red", "inconclusive": "yellow", "pass": "green", "unknown": "dim"}
_ROWS, _LEFT_OUT = 200, 10


def print_report(console: Console, report: Report, wall: Wall) -> None:
    """Texts of others are shown as they are, and cannot steer the terminal."""
    console.print(Group(*_shown(report, wall)))


def _shown(report: Report, wall: Wall) -> Iterator[RenderableType]:
    view = view_of(report, wall)
    yield Text(plain(view.title), style="bold")
    yield Text(plain(view.about), style="dim")
    for line in view.what_if:
        yield Text(plain(f"What if: {line}"), style="yellow")
    yield Text()
    for line in view.gist:
        yield Text(plain(line))
    if view.rows:
        yield Text()
        yield _table(view)
    yield from _told(view.money)
    yield from _left_out(report.left_out)


def _table(view: View) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("state", "resource", "used", "runs out", "what to do"):
        table.add_column(name, overflow="fold")
    for row in view.rows[:_ROWS]:
        state = Text(f"{row.icon} {row.state}", style=_COLOURS[row.tint], no_wrap=True)
        words = (row.title, row.used, row.when, row.advice)
        table.add_row(state, *(Text(plain(word)) for word in words))
    more = len(view.rows) + view.more_rows - min(len(view.rows), _ROWS)
    if more > 0:
        table.add_row(Text(f"and {more:,} more", style="dim"))
    return table


def _told(line: str) -> Iterator[Text]:
    if line:
        yield Text()
        yield Text(plain(line))


def _left_out(left: Sequence[LeftOut]) -> Iterator[Text]:
    """Plainly, where nothing could be told."""
    if not left:
        return
    yield Text()
    yield Text(f"Left out ({len(left):,}):", style="bold")
    for one in left[:_LEFT_OUT]:
        yield Text(plain(f"  {one.name}: {one.why}"))
    if len(left) > _LEFT_OUT:
        yield Text(f"  and {len(left) - _LEFT_OUT:,} more; --format json shows all", style="dim")
