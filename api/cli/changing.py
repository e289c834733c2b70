"""What `serinus change` sends, and what `serinus changes` shows."""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import urlencode

import msgspec
from rich.console import Console
from rich.table import Table

from api.cli.doors import server_of
from api.cli.guard import CouldNotAskError
from api.cli.logs_run import LOCAL
from api.cli.moments import past_of
from detector.logs.plain import plain

__all__ = ["console_of", "looked_up", "read", "show", "tell"]

# Of a file or a pipe, which have no width of their own.
_WIDTH = 160
T = TypeVar("T")


class _Change(msgspec.Struct):
    kind: str
    phase: str
    title: str
    service: str | None
    version: str | None
    actor: str | None
    started_at: str
    source: str


class _Page(msgspec.Struct):
    changes: list[_Change]
    next: str | None


class _Taken(msgspec.Struct):
    changed: list[str]


def tell(
    told: Mapping[str, str | None], *, at: str | None, server: str | None, tenant: str | None
) -> int:
    """Send a change, and say under which id it is kept."""
    when = None if at is None else past_of(at, "at", time.time())
    body = {**told, "actor": told["actor"] or getpass.getuser(), "at": when}
    with server_of(address_of(server), tenant=tenant) as asked:
        answer = asked.post("/v1/changes", {k: v for k, v in body.items() if v is not None})
    changed = read(answer, _Taken).changed
    print(f"kept as {changed[0]}" if changed else "told before: nothing was added")
    return 0


def show(
    asked: Mapping[str, str | None],
    *,
    since: str,
    server: str | None,
    tenant: str | None,
    as_json: bool,
) -> int:
    """Print a page of changes."""
    wanted = {**asked, "anywhere": "true"}
    body = looked_up("/v1/changes", wanted, since=since, server=server, tenant=tenant)
    if as_json:
        print(msgspec.json.format(body).decode())
        return 0
    page = read(body, _Page)
    console = console_of()
    console.print(_table(page) if page.changes else "No changes in that time.")
    if page.next is not None:
        console.print(f"There are more: --limit above {len(page.changes)} shows them.")
    return 0


def looked_up(
    path: str,
    asked: Mapping[str, str | None],
    *,
    since: str,
    server: str | None,
    tenant: str | None,
) -> bytes:
    """What a server has since a time, as it answers; what is None is not asked for."""
    query = {name: word for name, word in asked.items() if word is not None}
    query["from"] = past_of(since, "since", time.time())
    with server_of(address_of(server), tenant=tenant) as place:
        return place.get(f"{path}?{urlencode(query)}")


def console_of() -> Console:
    """What prints texts as they are, and in a file or a pipe in long lines."""
    console = Console(highlight=False, emoji=False, markup=False)
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH)
    return console


def address_of(server: str | None) -> str:
    """Where a server is: as asked for, by the environment, or on this machine."""
    return server or os.environ.get("SERINUS_SERVER") or LOCAL


def read(body: bytes, kind: type[T]) -> T:
    """An answer; `CouldNotAskError` where it is none of serinus."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise CouldNotAskError(f"the answer is none of serinus: {error}") from error


def _table(page: _Page) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("when", "kind", "service", "version", "what", "who", "told by"):
        table.add_column(name, overflow="fold")
    for change in page.changes:
        table.add_row(*(plain(word) for word in _row(change)))
    return table


def _row(change: _Change) -> tuple[str, ...]:
    is_done = change.phase == "succeeded"
    return (
        change.started_at[:16].replace("T", " "),
        change.kind if is_done else f"{change.kind} ({change.phase})",
        change.service or "any",
        change.version or "",
        change.title,
        change.actor or "",
        change.source,
    )
