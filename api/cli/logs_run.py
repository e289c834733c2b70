"""`serinus logs templates`: a page from a running serinus, and then what is new, as it comes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from api.cli.guard import CouldNotAskError
from api.cli.logs_row import Row
from api.cli.moments import past_of

if TYPE_CHECKING:
    from api.cli.server import Server

__all__ = ["Wanted", "fetched", "news", "show_templates"]

LOCAL = "http://127.0.0.1:8080"
_EVERY_S = 1.0
_MOST = 500


class _Page(msgspec.Struct):
    templates: list[Row]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which templates are asked for."""

    service: str | None = None
    level: str | None = None
    text: str | None = None
    since: str | None = None
    limit: int = 30

    def path(self, now: float) -> str:
        """As the API is asked."""
        asked = {
            "service": self.service,
            "level": self.level,
            "text": self.text,
            "since": None if self.since is None else past_of(self.since, "since", now),
            "limit": str(self.limit),
        }
        return f"/v1/templates?{urlencode({k: v for k, v in asked.items() if v is not None})}"


def show_templates(
    wanted: Wanted, *, server: str | None, tenant: str | None, follow: bool, as_json: bool
) -> int:
    """Print templates until all are printed, or (followed) until somebody ends it."""
    from api.cli.doors import server_of
    from api.cli.logs_text import Screen

    url = server or os.environ.get("SERINUS_SERVER") or LOCAL
    with server_of(url, tenant=tenant) as asked:
        rows = fetched(asked, wanted, time.time())
        screen = Screen(as_json=as_json, follow=follow)
        screen.first(rows, time.time())
        if follow:
            for row in news(asked, wanted, rows):
                screen.new(row)
    return 0


def fetched(server: Server, wanted: Wanted, now: float) -> list[Row]:
    """A page."""
    body = server.get(wanted.path(now))
    try:
        return msgspec.json.decode(body, type=_Page).templates
    except msgspec.MsgspecError as error:
        raise CouldNotAskError(f"serinus at {server.url} gave no templates: {error}") from error


def news(
    server: Server,
    wanted: Wanted,
    known: list[Row],
    *,
    pause: Callable[[float], object] = time.sleep,
) -> Iterator[Row]:
    """Templates that come, each once, the older ones first; a server that is away is waited for."""
    seen = {row.key for row in known}
    since = max((row.came for row in known), default=None) or _now()
    is_away = False
    while True:
        pause(_EVERY_S)
        try:
            rows = fetched(server, replace(wanted, since=since, limit=_MOST), time.time())
        except CouldNotAskError as error:
            if not is_away:
                print(f"serinus: {error} Waiting for it.", file=sys.stderr, flush=True)
            is_away = True
            continue
        is_away = False
        for row in sorted(rows, key=lambda row: row.came):
            if row.key not in seen:
                seen.add(row.key)
                yield row
        since = max([since, *(row.came for row in rows)])


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
