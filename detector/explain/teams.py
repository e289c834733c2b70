"""The weekly notice of each team: what it was told of incidents, what not, and how rightly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from detector.alerts.digest import Digest, digest_of, teams_of
from detector.alerts.digest_words import text_words, title_words
from detector.alerts.history import History
from detector.alerts.routing import receivers_by_team
from detector.alerts.settings import Route as Tree
from detector.gate.telling import Notice, NoticeKind, Post, Route

__all__ = ["Span", "team_digests", "team_posts"]

_ADVICE = (
    "Was something held back that should have been told? Give the team more incidents a week"
    " (alerts.budgets), or a graver route."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A week, from unix seconds to before others."""

    since: float
    until: float

    @property
    def day(self) -> str:
        """The day on which it ends, in UTC."""
        return datetime.fromtimestamp(self.until, UTC).date().isoformat()


def team_digests(
    history: History, span: Span, *, team: str | None = None, public_url: str = ""
) -> tuple[Digest, ...]:
    """Of each team of a tenant, or of one, by name; a team that nobody told of anything has one."""
    teams = teams_of(history) if team is None else (team,)
    since, until = round(1000 * span.since), round(1000 * span.until)
    return tuple(digest_of(history, name, since, until, public_url) for name in teams)


def team_posts(
    histories: Mapping[str, History],
    tree: Tree,
    routes: Sequence[Route],
    span: Span,
    *,
    now: float,
    public_url: str = "",
) -> Iterator[Post]:
    """To the receivers of each team by the routes as they are now, where they want weekly notices.

    A team to which nothing was told, and of which nothing was held back, hears nothing. The same
    week of the same team has the same name, whoever makes it and however often.
    """
    wanting = {route.name for route in routes if NoticeKind.WEEKLY in route.kinds}
    receivers = receivers_by_team(tree)
    for tenant, history in sorted(histories.items()):
        for digest in team_digests(history, span, public_url=public_url):
            to = tuple(name for name in receivers.get(digest.team, ()) if name in wanting)
            if to and not digest.is_empty:
                yield Post(notice=_notice(digest, tenant, span, now), to=to)


def _notice(digest: Digest, tenant: str, span: Span, now: float) -> Notice:
    """Told at `now`: one that comes late is a report all the same."""
    return Notice(
        id=f"digest:{span.day}:{_hash(tenant, digest.team)}",
        kind=NoticeKind.WEEKLY,
        at=now,
        tenant=tenant,
        title=title_words(digest),
        text=text_words(digest),
        advice=_ADVICE if digest.held_count else "",
        digest=digest,
    )


def _hash(*words: str) -> str:
    """A name is in headers, whatever a team calls itself."""
    return sha256("\0".join(words).encode()).hexdigest()[:16]
