"""What people said of an incident, as far as it bears on who is told of it."""

from __future__ import annotations

from collections.abc import Sequence

from detector.alerts.history import Word, WordKind
from detector.alerts.silences import silenced
from detector.incidents.record import Said

__all__ = ["is_silenced", "words_of"]


def words_of(said: Sequence[Said]) -> list[Word]:
    """The same as words of who is told."""
    return [
        Word(kind=WordKind(one.kind.value), person=one.person, at=one.at, until=one.until)
        for one in said
    ]


def is_silenced(said: Sequence[Said], at: int, *, is_over: bool) -> bool:
    """Whether somebody asked to hear no more, at unix milliseconds or since.

    See `silenced`.
    """
    words = words_of(said)
    latest = max([at, *(word.at for word in words)])
    return silenced(words, latest, is_over=is_over) is not None
