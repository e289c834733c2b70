"""What `serinus report list`, `show` and `compare` show, by a server or on its records."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from rich.table import Table
from rich.text import Text

from api.bodies.report import comparison_body, reports_body
from api.cli.changing import address_of, console_of, read
from api.cli.doors import desk, server_of
from api.cli.report_text import print_report
from api.cli.serving import settings_of
from api.reporting import wall_of
from api.reports.forms import form_of, write
from api.reports.words import Wall
from detector.capacity.report import of_json
from detector.logs.plain import plain
from detector.reports.compare import compared
from detector.reports.kept import ReportFilter
from pipelines.reports.keeping import Archive

__all__ = ["Place", "show_comparison", "show_list", "show_one"]

_MOVES = {"worse": "red", "new": "yellow", "lost": "yellow", "better": "green"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where reports are kept: on a server, or in the data directory of one."""

    server: str | None
    data: Path | None
    tenant: str | None

    def asked(self, path: str) -> bytes:
        """What the server answers."""
        with server_of(address_of(self.server), tenant=self.tenant) as server:
            return server.get(f"/v1/reports{path}")

    @contextmanager
    def archive(self) -> Iterator[Archive]:
        """What is kept in the directory; `ConfigError` where nothing is."""
        with desk(self.data) as gate:
            yield Archive(store=gate.stores.reports, tenant=self.tenant or "default")

    @property
    def is_here(self) -> bool:
        """Whether no server is asked."""
        return self.server is None and self.data is not None


class _Kept(msgspec.Struct):
    id: str
    at: str
    scope: str
    title: str


class _Page(msgspec.Struct):
    reports: list[_Kept]
    next: str | None


class _Moved(msgspec.Struct):
    title: str
    move: str
    text: str


class _Comparison(msgspec.Struct):
    moved: list[_Moved]


def show_list(place: Place, *, name: str | None, limit: int, as_json: bool) -> int:
    """Print which reports there are."""
    body = _listed(place, name, limit)
    if as_json:
        print(msgspec.json.format(body).decode())
        return 0
    page, console = read(body, _Page), console_of()
    table = _table("report", "as of (UTC)", "about", "in short")
    for one in page.reports:
        words = (one.id, one.at[:16].replace("T", " "), one.scope, one.title)
        table.add_row(*(Text(plain(word)) for word in words))
    console.print(
        table if page.reports else "No report is kept: serinus report capacity makes one."
    )
    if page.next is not None:
        console.print(f"There are more: --limit above {len(page.reports)} shows them.")
    return 0


def show_one(
    place: Place, id: str, *, out: Sequence[Path], as_json: bool, config: Path | None
) -> int:
    """Print a report, or write it to files."""
    for file in out:
        form_of(file)
    settings = settings_of(config, None, {})
    body, wall = _one(place, id), wall_of(settings)
    report = of_json(body)
    for file in out:
        write(report, file, wall, browser=settings.reports.browser)
        print(f"written: {file}", file=sys.stderr)
    if as_json:
        print(msgspec.json.format(body).decode())
    elif not out:
        print_report(console_of(), report, wall)
    return 0


def show_comparison(place: Place, before: str, after: str, *, as_json: bool) -> int:
    """Print what became worse, better, new or gone; what stayed is counted."""
    body = _compared(place, before, after)
    if as_json:
        print(msgspec.json.format(body).decode())
        return 0
    moved, console = read(body, _Comparison).moved, console_of()
    told = [one for one in moved if one.move != "same"]
    table = _table("", "resource", "what changed")
    for one in told:
        mark = Text(one.move, style=_MOVES.get(one.move, ""))
        table.add_row(mark, Text(plain(one.title)), Text(plain(one.text)))
    if told:
        console.print(table)
    same = len(moved) - len(told)
    console.print(f"{same} resource{'s' if same != 1 else ''} as before.", style="dim")
    return 0


def _listed(place: Place, name: str | None, limit: int) -> bytes:
    if not place.is_here:
        asked = {"limit": str(limit)} | ({} if name is None else {"name": name})
        return place.asked(f"?{urlencode(asked)}")
    with place.archive() as archive:
        wanted = ReportFilter(
            tenant=archive.tenant, name=name, for_people=name is None, limit=limit
        )
        return _json(reports_body(archive.store.list(wanted)))


def _one(place: Place, id: str) -> bytes:
    if not place.is_here:
        return place.asked(f"/{quote(id, safe='')}")
    with place.archive() as archive:
        return archive.store.get(archive.tenant, id).body


def _compared(place: Place, before: str, after: str) -> bytes:
    if not place.is_here:
        return place.asked(f"/{quote(before, safe='')}/against/{quote(after, safe='')}")
    with place.archive() as archive:
        moved = compared(archive.opened(before), archive.opened(after))
    return _json(comparison_body(before, after, moved, Wall()))


def _json(body: dict[str, Any]) -> bytes:
    return msgspec.json.encode(body)


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table
