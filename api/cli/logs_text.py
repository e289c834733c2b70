"""Templates on a terminal: a table, and a line for each that comes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from detector.logs.plain import LINE_END, plain

if TYPE_CHECKING:
    from api.cli.logs_row import Row

__all__ = ["Screen"]

# Of a file or a pipe, which have no width of their own.
_WIDTH = 160
# Of a stack trace so many lines are shown, the last one among them.
_LINES = 3
_STYLES = {"fatal": "bold red", "error": "red", "warn": "yellow", "info": "", "debug": "dim"}


class Screen:
    """Where templates are printed; nothing that a log line has in it commands the terminal."""

    def __init__(self, *, as_json: bool, follow: bool, console: Console | None = None) -> None:
        self._as_json, self._follow = as_json, follow
        self._console = console or Console(highlight=False, emoji=False, markup=False)
        if not self._console.is_terminal:
            self._console.width = max(self._console.width, _WIDTH)

    def first(self, rows: list[Row], now: float) -> None:
        """Those that there are."""
        if self._as_json:
            self._json(rows)
            return
        if rows:
            self._console.print(_table(rows, now))
        elif not self._follow:
            self._console.print("No templates: has a service sent logs here? See docs/logs.md.")
        if self._follow:
            self._console.print("Waiting for new templates; Ctrl-C ends it.", style="dim")

    def new(self, row: Row) -> None:
        """One that came."""
        if self._as_json:
            self._write(msgspec.json.encode(row))
            return
        self._console.print(_line(row), soft_wrap=True)

    def _json(self, rows: list[Row]) -> None:
        if self._follow:
            for row in reversed(rows):
                self.new(row)
            return
        self._write(msgspec.json.format(msgspec.json.encode({"templates": rows})))

    def _write(self, body: bytes) -> None:
        self._console.file.write(body.decode() + "\n")
        self._console.file.flush()


def _table(rows: list[Row], now: float) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("LEVEL", no_wrap=True)
    table.add_column("SERVICE", overflow="ellipsis", max_width=24, no_wrap=True)
    table.add_column("LINES", justify="right", no_wrap=True)
    table.add_column("FIRST SEEN", no_wrap=True)
    table.add_column("LAST SEEN", no_wrap=True)
    table.add_column("TEMPLATE, AND ITS FIRST LINE", overflow="fold", ratio=1)
    for row in rows:
        table.add_row(
            _level(row),
            Text(plain(row.service or "-")),
            Text(f"{row.count:,}"),
            Text(_ago(row.first, now)),
            Text(_ago(row.last, now)),
            _template(row),
        )
    return table


def _template(row: Row) -> Text:
    text = Text(plain(row.text))
    text.append(f"  {plain(row.id)}", style="dim")
    for line in _sample(row):
        text.append("\n" + line, style="dim italic")
    return text


def _line(row: Row) -> Text:
    """A line of its own for one that came just now."""
    text = Text(_clock(row.came) + "  ", style="dim")
    text.append(row.level.upper().ljust(7), style=_STYLES.get(row.level, ""))
    text.append(f" {plain(row.service or '-'):<16} ", style="bold")
    text.append(plain(row.text), style="none")
    text.append(f"  {plain(row.id)}", style="dim")
    for line in _sample(row):
        text.append(f"\n{'':>19}{line}", style="dim italic")
    return text


def _sample(row: Row) -> list[str]:
    """The first lines of its first line, where it is more than the template says."""
    if not row.sample or row.sample == row.text:
        return []
    lines = [line for line in plain(row.sample).split(LINE_END) if line.strip()]
    return lines if len(lines) <= _LINES else [*lines[: _LINES - 1], "…", lines[-1]]


def _level(row: Row) -> Text:
    return Text(row.level.upper(), style=_STYLES.get(row.level, ""))


def _ago(moment: str, now: float) -> str:
    seconds = max(now - datetime.fromisoformat(moment).timestamp(), 0.0)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def _clock(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%H:%M:%S") + "Z"
