"""Texts of records that are whole lines or records themselves, read as lines of files are."""

from __future__ import annotations

import threading
from collections import Counter
from functools import cache

from pipelines.ingest.records.building import Written
from pipelines.ingest.records.flaws import Flaw
from pipelines.ingest.records.json_lines import JsonLines
from pipelines.ingest.records.plain import Told, plain_line

__all__ = ["WrittenLines", "written_lines"]

# A record has a time of its own, so one in its text counts for nothing; and what is no object but
# begins as one is text, as any other.
_RECORDS = (b"{", b"[")
_UNHEARD = frozenset({Flaw.IN_THE_FUTURE, Flaw.NOT_JSON})


class WrittenLines:
    """Reads one text after the other; safe for threads."""

    def __init__(self) -> None:
        self._heard = threading.local()
        self._records = JsonLines(self._count)

    def read(self, text: bytes, told: Told, flaws: Counter[Flaw]) -> Written | None:
        """What a program wrote, a clean text, taken apart; None where it is nothing.

        `flaws` are added to.
        """
        self._heard.flaws = flaws
        if text.lstrip()[:1] in _RECORDS:
            return self._records.read(text, told)
        return plain_line(text.decode(), told, self._count) if text.strip() else None

    def _count(self, flaw: Flaw) -> None:
        if flaw not in _UNHEARD:
            self._heard.flaws[flaw] += 1


@cache
def written_lines() -> WrittenLines:
    """One for all tenants: it knows nothing of any, and its mappings take a while to be read."""
    return WrittenLines()
