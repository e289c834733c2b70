"""Where parts of work are done: here, in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol, TypeVar

from detector.errors import BrokerError, ConfigError

__all__ = ["Lanes", "Places", "lanes_of"]

Part = TypeVar("Part")
Made = TypeVar("Made")

# Libraries of linear algebra take all cores for one matrix, unless they are told not to.
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)


# Workers that came or went are noticed after so long.
_COUNTED_S = 5.0
# Machines of a cluster may start anew; without any for longer, nobody will come.
_ALONE_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where parts are worked on: `jobs` processes here, or the Dask cluster at an address."""

    jobs: int = 1
    dask: str | None = None

    @property
    def is_here(self) -> bool:
        """Whether it is this process alone."""
        return self.dask is None and self.jobs == 1


class Lanes(Protocol):
    """Workers side by side, of which each does one part at a time."""

    @property
    def width(self) -> int:
        """How many parts keep all of them busy."""
        ...

    def submit(self, work: Callable[[Part], Made], part: Part) -> Future[Made]:
        """Begin a part; never more than `width` are under way."""
        ...

    def look(self) -> None:
        """Where nothing ended for a while: `BrokerError` if nothing will."""
        ...

    def is_death(self, error: BaseException) -> bool:
        """Whether a part failed because its worker was ended, not by what it did."""
        ...


@contextmanager
def lanes_of(places: Places | Lanes) -> Iterator[Lanes]:
    """The workers of some places, ended at the end; those that are given stay as they are.

    `ConfigError` where Dask is asked for and is not installed, or has no scheduler or worker.
    """
    if not isinstance(places, Places):
        yield places
    elif places.is_here:
        yield _Here()
    elif places.dask is None:
        with _processes(places.jobs) as lanes:
            yield lanes
    else:
        with _cluster(places.dask) as lanes:
            yield lanes


class _Here:
    """This process: a part is done when it is submitted."""

    width = 1

    def submit(self, work: Callable[[Part], Made], part: Part) -> Future[Made]:
        done: Future[Made] = Future()
        try:
            done.set_result(work(part))
        except Exception as error:  # noqa: BLE001 - told to the one who waits for it
            done.set_exception(error)
        return done

    def look(self) -> None:
        """It is here."""

    def is_death(self, error: BaseException) -> bool:
        return False


class _Processes:
    """Pools of one process: where one is killed, a pool of many would lose the parts of all."""

    def __init__(self, jobs: int) -> None:
        self._lanes = [_Lane() for _ in range(jobs)]

    @property
    def width(self) -> int:
        return len(self._lanes)

    def submit(self, work: Callable[[Part], Made], part: Part) -> Future[Made]:
        return next(lane for lane in self._lanes if lane.is_free).submit(work, part)

    def look(self) -> None:
        """A process that ended is told of by its future."""

    def is_death(self, error: BaseException) -> bool:
        return isinstance(error, BrokenProcessPool)

    def close(self) -> None:
        for lane in self._lanes:
            lane.close()


class _Lane:
    """One process of joblib's loky; begun when it is first needed, and anew after it was ended."""

    def __init__(self) -> None:
        self._pool: Any = None
        self._last: Future[Any] | None = None

    @property
    def is_free(self) -> bool:
        return self._last is None or self._last.done()

    def submit(self, work: Callable[[Part], Made], part: Part) -> Future[Made]:
        if self._last is not None and isinstance(self._last.exception(), BrokenProcessPool):
            self.close()
        if self._pool is None:
            from joblib.externals.loky import ProcessPoolExecutor

            self._pool = ProcessPoolExecutor(max_workers=1, env=_ONE_THREAD)
        begun: Future[Made] = self._pool.submit(work, part)
        self._last = begun
        return begun

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, kill_workers=True)
            self._pool = None


@contextmanager
def _processes(jobs: int) -> Iterator[_Processes]:
    lanes = _Processes(jobs)
    try:
        yield lanes
    finally:
        lanes.close()


class _Cluster:
    """Dask's workers; it does the parts of one that is lost elsewhere, a few times."""

    def __init__(self, client: Any, address: str) -> None:  # noqa: ANN401 - it ships no types
        self._client, self._address = client, address
        self._width, self._counted_at, self._alive_at = 0, -math.inf, monotonic()
        # What nobody holds, Dask forgets.
        self._held: set[Any] = set()

    @property
    def width(self) -> int:
        """A part for each thread, and one for each worker that waits there for its turn."""
        if monotonic() - self._counted_at > _COUNTED_S:
            self._count()
        return self._width

    def look(self) -> None:
        self._count()
        if monotonic() - self._alive_at > _ALONE_S:
            raise BrokerError(
                f"the scheduler at {self._address} has had no worker for {_ALONE_S:g} s:"
                " look why they end, and start again"
            )

    def submit(self, work: Callable[[Part], Made], part: Part) -> Future[Made]:
        if self._client.status != "running":
            raise BrokerError(f"the scheduler at {self._address} went away: start again")
        # Never by the name of what is done: the same part is done again where it is asked for.
        begun = self._client.submit(work, part, pure=False)
        told: Future[Made] = Future()
        self._held.add(begun)
        # Not by Dask's own executor: a part whose result is lost with its worker, and that then
        # ends another one, is never heard of again there. Nor by its callbacks: one that waits
        # for such a result keeps all others waiting.
        self._client.loop.add_callback(self._tell, told, begun)
        return told

    async def _tell(self, told: Future[Made], begun: Any) -> None:  # noqa: ANN401
        """In the client's loop."""
        try:
            told.set_result(await begun.result())
        except (CancelledError, asyncio.CancelledError):
            told.set_exception(BrokerError(f"the scheduler at {self._address} went away"))
        except Exception as error:  # noqa: BLE001 - told to the one who waits for it
            told.set_exception(error)
        finally:
            self._held.discard(begun)

    def _count(self) -> None:
        """Ask the scheduler for its workers."""
        now = self._counted_at = monotonic()
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        self._width = max(1, sum(1 + int(worker["nthreads"]) for worker in workers))
        self._alive_at = now if workers else self._alive_at

    def is_death(self, error: BaseException) -> bool:
        from distributed import KilledWorker

        return isinstance(error, KilledWorker)

    def close(self) -> None:
        self._client.cancel(list(self._held))
        self._held.clear()


@contextmanager
def _cluster(address: str) -> Iterator[_Cluster]:
    try:
        from distributed import Client
    except ImportError as error:
        raise ConfigError(
            "--dask needs Dask's distributed, which is not installed here:"
            " pip install 'serinus[dask]', here and on the workers"
        ) from error
    connect: Callable[..., Any] = Client
    try:
        client = connect(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConfigError(f"--dask: no scheduler answers at {address}: {error}") from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise ConfigError(f"--dask: the scheduler at {address} has no worker: start one first")
        lanes = _Cluster(client, address)
        try:
            yield lanes
        finally:
            lanes.close()
