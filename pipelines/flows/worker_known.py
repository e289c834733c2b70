"""What counts lines and spans of a partition, as arrays: who goes on from them counts the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from detector.logs.rates import Chosen, KeptChosen
from pipelines.flows.logs_mined import OTHER, Noted, TenantMiner
from pipelines.flows.logs_record import Lines

__all__ = ["Known", "chosen_arrays", "resume_chosen"]

Kept = TypeVar("Kept")
Arrays = Mapping[str, NDArray[Any]]
_DAY_MS = 86_400_000
_MINER, _CHOSEN, _IDS, _DAYS, _NOTED = "miner.", "chosen", "known.ids", "known.days", "noted"
_PREFIX = "lt_"


@dataclass(slots=True)
class Known:
    """Templates of one tenant with the day on which each came last; what its miner goes on from.

    Which are forgotten follows from the messages alone, so that it is the same whenever they are
    read.
    """

    days: dict[str, int] = field(default_factory=dict)
    miner: Arrays | None = None
    noted: Noted = field(default_factory=Noted)
    today: int = 0

    @classmethod
    def of_arrays(cls, arrays: Arrays) -> Known:
        """What `arrays` gave."""
        miner = {
            name.removeprefix(_MINER): one
            for name, one in arrays.items()
            if name.startswith(_MINER)
        }
        ids = arrays.get(_IDS, np.zeros(0, np.uint64)).tolist()
        days = arrays.get(_DAYS, np.zeros(0, np.int32)).tolist()
        noted = _read(arrays.get(_NOTED), Noted) or Noted()
        named = (f"{_PREFIX}{id:016x}" for id in ids)
        return cls(
            days=dict(zip(named, days, strict=True)),
            miner=miner or None,
            noted=noted,
            today=max(days, default=0),
        )

    @property
    def ids(self) -> frozenset[str]:
        """The templates."""
        return frozenset(self.days)

    def resume(self, mined: TenantMiner) -> None:
        """Let what counts lines go on, with the numbers that its miner has still."""
        held = {} if self.miner is None else mined.miner.to_bare_arrays()
        numbers = set(held.get("number", np.zeros(0, np.int32)).tolist())
        was = tuple(one for one in self.noted.was if one[0] in numbers)
        mined.resume(msgspec.structs.replace(self.noted, was=was))
        self.miner = None

    def came(self, lines: Lines, at: int) -> None:
        """Lines of these came at a time."""
        day = at // _DAY_MS
        self.days.update((one.id, day) for one in lines.templates if one.id != OTHER)

    def forgotten(self, at: int, keep_ms: int, most: int) -> set[str]:
        """Once a day those that did not come for so long; where there are too many, half of them.

        They are not known any more: they are new when they come again.
        """
        gone: set[str] = set()
        if at // _DAY_MS > self.today:
            self.today = at // _DAY_MS
            oldest = (at - keep_ms) // _DAY_MS
            gone = {id for id, day in self.days.items() if day < oldest}
        if len(self.days) >= most:
            by_age = sorted(self.days, key=lambda id: (self.days[id], id))
            gone |= set(by_age[: len(by_age) - most // 2])
        for id in gone:
            del self.days[id]
        return gone

    def arrays(self, mined: TenantMiner, miner: Arrays) -> Arrays:
        """All of it."""
        ids = np.array([int(id.removeprefix(_PREFIX), 16) for id in self.days], np.uint64)
        return {
            **{_MINER + name: one for name, one in miner.items()},
            _IDS: ids,
            _DAYS: np.array(list(self.days.values()), np.int32),
            _NOTED: _told(mined.noted()),
        }


def chosen_arrays(chosen: Chosen) -> Arrays:
    """Which templates or operations have series of the stream."""
    return {_CHOSEN: _told(chosen.kept())}


def resume_chosen(chosen: Chosen, arrays: Arrays) -> None:
    """Go on from them."""
    kept = _read(arrays.get(_CHOSEN), KeptChosen)
    if kept is not None:
        chosen.resume(kept)


def _told(value: object) -> NDArray[np.uint8]:
    return np.frombuffer(msgspec.msgpack.encode(value), np.uint8)


def _read(array: NDArray[Any] | None, kind: type[Kept]) -> Kept | None:
    return None if array is None else msgspec.msgpack.decode(array.tobytes(), type=kind)
