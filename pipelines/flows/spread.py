"""Work in parts: in this process, in several, or on a Dask cluster.

The code is joblib's; its backend says where. A worker that is killed takes the batch with it, so
what has not come back is sent again, a few times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from detector.errors import ConfigError

__all__ = ["TRIES", "Places", "spread"]

TRIES = 3
Part = TypeVar("Part")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where parts are worked on: `jobs` processes here, or the Dask cluster at an address."""

    jobs: int = 1
    dask: str | None = None

    @property
    def is_here(self) -> bool:
        """Whether it is this process alone."""
        return self.dask is None and self.jobs == 1


def spread(
    parts: Sequence[Part],
    work: Callable[[Part], Made],
    lost: Callable[[Part, str], Made],
    places: Places,
) -> Iterator[tuple[int, Made]]:
    """What is made of each part with its number, in the order in which they end.

    `work` and parts travel to other processes, where more than one is asked for. `lost` is what
    stands for a part whose worker was ended each time, with the reason. `ConfigError` where Dask
    is asked for and is not there.
    """
    if places.is_here:
        yield from ((number, work(part)) for number, part in enumerate(parts))
        return
    with _backend(places):
        yield from _sent(parts, work, lost, places)


def _sent(
    parts: Sequence[Part],
    work: Callable[[Part], Made],
    lost: Callable[[Part, str], Made],
    places: Places,
) -> Iterator[tuple[int, Made]]:
    """What has come back is kept; the rest is sent again when workers die."""
    from concurrent.futures.process import BrokenProcessPool

    from joblib import Parallel, delayed

    left = dict(enumerate(parts))
    for _ in range(TRIES):
        run = Parallel(n_jobs=places.jobs, return_as="generator_unordered", batch_size=1)
        calls = [delayed(_numbered)(number, part, work) for number, part in left.items()]
        try:
            for number, made in run(calls):
                yield number, made
                del left[number]
        except BrokenProcessPool:
            continue
        return
    for number, part in left.items():
        text = f"its worker was ended {TRIES} times: out of memory? try fewer --jobs"
        yield number, lost(part, text)


def _numbered(number: int, part: Part, work: Callable[[Part], Made]) -> tuple[int, Made]:
    return number, work(part)


@contextmanager
def _backend(places: Places) -> Iterator[None]:
    try:
        from joblib import parallel_config
    except ImportError as error:
        raise ConfigError("--jobs needs joblib: pip install joblib") from error
    if places.dask is None:
        with parallel_config(backend="loky", inner_max_num_threads=1):
            yield
        return
    with _cluster(places.dask), parallel_config(backend="dask"):
        yield


@contextmanager
def _cluster(address: str) -> Iterator[None]:
    try:
        from distributed import Client
    except ImportError as error:
        raise ConfigError(
            "--dask needs Dask's distributed, which is not installed here:"
            " pip install 'serinus[dask]', here and on the workers"
        ) from error
    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise ConfigError(f"--dask: no scheduler answers at {address}: {error}") from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise ConfigError(f"--dask: the scheduler at {address} has no worker: start one first")
        yield
