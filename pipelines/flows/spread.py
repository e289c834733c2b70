"""Work in parts: in this process, in several, or on a Dask cluster.

A worker that is killed costs the part that it was at: that is sent again, in pieces where it has
some. What still ends its workers is sent once more while nothing else is under way, so that no
part is blamed for what its neighbour did.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pipelines.flows.lanes import Lanes, Places, lanes_of

__all__ = ["TRIES", "Places", "spread"]

TRIES = 3
# Where no part ended for so long, the workers are looked after.
_LOOK_S = 15.0
Part = TypeVar("Part")
Made = TypeVar("Made")


def spread(
    parts: Iterable[Part],
    work: Callable[[Part], Made],
    lost: Callable[[Part, str], Made],
    places: Places | Lanes,
    pieces: Callable[[Part], Sequence[Part]] = lambda part: (part,),
) -> Iterator[tuple[int, Made]]:
    """What is made of each part with its number, in the order in which they end.

    A part is taken from `parts` when a worker is free for it. `work` and parts travel to other
    processes, where more than one is asked for. A part whose worker was ended is sent again as its
    `pieces`, with the same number; `lost` is what stands for one that ended its worker `TRIES`
    times, with the reason. `places` may be workers that are there already (see `lanes_of`).
    `ConfigError` where Dask is asked for and is not there, `BrokerError` where it goes away.
    """
    with lanes_of(places) as lanes:
        run = _Run(iter(enumerate(parts)), work, lanes, pieces)
        for sent, made in run.made():
            yield sent.number, lost(sent.part, _ENDED) if made is None else made.result()


_ENDED = f"its worker was ended {TRIES} times: out of memory? try fewer --jobs"


@dataclass(slots=True)
class _Sent(Generic[Part]):
    """A part on its way, and how often it ended its worker."""

    number: int
    part: Part
    deaths: int = 0


@dataclass(slots=True)
class _Run(Generic[Part, Made]):
    """Parts that wait, are under way, are sent again, and are looked at alone in the end."""

    parts: Iterator[tuple[int, Part]]
    work: Callable[[Part], Made]
    lanes: Lanes
    pieces: Callable[[Part], Sequence[Part]]
    again: deque[_Sent[Part]] = field(default_factory=deque)
    alone: deque[_Sent[Part]] = field(default_factory=deque)
    under_way: dict[Future[Made], _Sent[Part]] = field(default_factory=dict)

    def made(self) -> Iterator[tuple[_Sent[Part], Future[Made] | None]]:
        """Each part with what came of it, None where it is given up."""
        while self._fill():
            done, _ = wait(self.under_way, _LOOK_S, return_when=FIRST_COMPLETED)
            if not done:
                self.lanes.look()
            for future in done:
                sent = self.under_way.pop(future)
                error = future.exception()
                if error is None:
                    yield sent, future
                elif not self.lanes.is_death(error):
                    raise error
                elif not self._sent_again(sent):
                    yield sent, None

    def _fill(self) -> bool:
        """Give each free worker a part; whether anything is under way."""
        while len(self.under_way) < self.lanes.width and (sent := self._next()):
            self.under_way[self.lanes.submit(self.work, sent.part)] = sent
        return bool(self.under_way)

    def _next(self) -> _Sent[Part] | None:
        if self.again:
            return self.again.popleft()
        for number, part in self.parts:
            return _Sent(number, part)
        return self.alone.popleft() if self.alone and not self.under_way else None

    def _sent_again(self, sent: _Sent[Part]) -> bool:
        """Whether it is tried once more."""
        sent.deaths += 1
        if sent.deaths >= TRIES:
            return False
        pieces = self.pieces(sent.part)
        if len(pieces) > 1:
            self.again.extend(_Sent(sent.number, piece, sent.deaths) for piece in pieces)
        else:
            (self.again if sent.deaths < TRIES - 1 else self.alone).append(sent)
        return True
