"""Which counter of our own has which id: given by who takes lines and spans, as they come in."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

from detector.logs.lines import Origin
from pipelines.flows.logs_record import NewOwn
from pipelines.stores.own import OwnSeries

__all__ = ["NAME", "Labels", "OwnNames", "of_labels"]

NAME = "__name__"
# A counter that did not rise for so long gets another id when it comes again: it begins anew.
FORGET_MS = 48 * 3_600_000
Labels = tuple[tuple[str, str], ...]
_CUT = 256


def of_labels(metric: str, labels: Iterable[tuple[str, str]]) -> Labels:
    """Labels in the order of their names, without empty ones; long values are cut."""
    named = ((label, value[:_CUT]) for label, value in labels if value)
    return ((NAME, metric), *sorted(named))


class OwnNames:
    """The counters of one tenant, at most so many; whoever asks holds a lock."""

    def __init__(self, known: Iterable[OwnSeries] = (), *, most: int) -> None:
        self.most, self.refused = most, 0
        self._ids: dict[Labels, int] = {}
        self._seen: dict[int, int] = {}
        self._new: list[NewOwn] = []
        self._next, self._swept = 0, 0
        for one in known:
            self._ids[one.labels] = one.id
            self._seen[one.id] = max(one.seen, one.born)
            self._next = max(self._next, one.id + 1)

    def id_of(self, labels: Labels, origin: Origin, now: int, *, is_first: bool = True) -> int:
        """The id of a counter, a new one if need be; -1 where it gets none.

        `is_first`: it comes before others where there is no room for all.
        """
        found = self._ids.get(labels)
        if found is None:
            found = self._given(labels, origin, now, is_first=is_first)
        if found >= 0:
            self._seen[found] = now
        return found

    def touch(self, ids: Iterable[int], now: int) -> None:
        """Some of them rise, though nobody asked for their ids."""
        self._seen.update(dict.fromkeys(ids, now))

    def fresh(self) -> tuple[NewOwn, ...]:
        """Those that nobody has kept yet."""
        return tuple(self._new)

    def kept(self, count: int) -> None:
        """So many of those are kept."""
        del self._new[:count]

    def __len__(self) -> int:
        return len(self._ids)

    def _given(self, labels: Labels, origin: Origin, now: int, *, is_first: bool) -> int:
        self._sweep(now)
        # What tells of all lines of a pod finds room after what tells of one template did not.
        most = self.most if not is_first else self.most + self.most // 4
        if len(self._ids) >= most:
            self.refused += 1
            return -1
        id = self._ids[labels] = self._next
        self._next += 1
        self._new.append(NewOwn(id, _owner(origin), labels))
        return id

    def _sweep(self, now: int) -> None:
        """Once an hour at most, forget what does not rise any more."""
        if now - self._swept < 3_600_000:
            return
        self._swept = now
        before = now - FORGET_MS
        gone = {id for id, seen in self._seen.items() if seen < before}
        if gone:
            self._ids = {labels: id for labels, id in self._ids.items() if id not in gone}
            self._seen = {id: seen for id, seen in self._seen.items() if id not in gone}


@lru_cache(maxsize=1 << 14)
def _owner(origin: Origin) -> int:
    """The same number for the same pod, in every process."""
    parts = (origin.service, origin.namespace, origin.cluster, origin.pod, origin.version)
    found = blake2b("\0".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(found, "little") >> 1
