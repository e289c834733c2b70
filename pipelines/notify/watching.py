"""Tells people that serinus is blind: a source, or the stream, that has not worked for a while."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from detector.gate.blindness import Blind, Blindness
from detector.gate.telling import Notice, NoticeKind, Route, addressed
from detector.ports import Clock, Outbox

__all__ = ["Watching"]

_ADVICE = "Verdicts are inconclusive, nothing new is found, and nothing passes while that lasts."
# Replicas notice at about the same time, and what they tell is told once.
_SAME_S = 1800.0


class Watching:
    """Looks at the probes, by name: each says why it does not work, or nothing.

    `more` gives others by name, which come and go.
    """

    def __init__(
        self,
        probes: Mapping[str, Callable[[], str]],
        outbox: Outbox,
        routes: Sequence[Route],
        clock: Clock,
        *,
        more: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._probes, self._outbox, self._clock = dict(probes), outbox, clock
        self._routes, self._more = tuple(routes), more
        self._blindness = Blindness()

    def look(self) -> bool:
        """Tell what is new; `StoreError`. There is never more at once."""
        found = {what: probe() for what, probe in self._probes.items()} | dict(self._more())
        for blind in self._blindness.looked(found, self._clock()):
            self._outbox.put(addressed(_notice(blind), self._routes))
        return False


def _notice(blind: Blind) -> Notice:
    state = "over" if blind.is_over else "since"
    return Notice(
        id=f"blind:{blind.what}:{state}:{round(blind.since / _SAME_S)}",
        kind=NoticeKind.BLIND,
        at=blind.at,
        tenant="default",
        title=blind.title,
        text=blind.text,
        advice="" if blind.is_over else _ADVICE,
    )
