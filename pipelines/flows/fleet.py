"""One piece of work over all series of a fleet: in chunks, gone on with after a stop.

What is done to a series is an argument. Each series stands for itself: that one fails, or ends
its worker, is told of it and costs no other. Held at once are the names of all series, the values
of a page or two, and the results of the chunks that are under way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from time import thread_time
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from detector.errors import ConfigError, SerinusError, SourceError
from models.forecast.history import ShortHistoryError
from pipelines.flows.fleet_kept import Came, Kept, Trouble
from pipelines.flows.lanes import Lanes
from pipelines.flows.spread import Places, spread
from pipelines.version import code_version

__all__ = ["Given", "Pace", "Progress", "Task", "over_fleet"]

Value = TypeVar("Value")


class Given(NamedTuple, Generic[Value]):
    """A series by name with what the work needs of it, or why it could not be read."""

    series: str
    value: Value | Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Generic[Value]):
    """What is done to which series.

    `name` tells the work from all other (see `name_of`). `load` reads a page of series, in this
    process, and in a thread; `SourceError` is the trouble of that page. `work` makes bytes of one
    value wherever a worker is: the same of the same. Where it reads by itself, its `SourceError`
    is the trouble of that series. Of both the next run tries again.
    """

    name: str
    series: Sequence[str]
    load: Callable[[Sequence[str]], Sequence[Given[Value]]]
    work: Callable[[Value], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Series that are read at once, and how much CPU a worker is to spend on one chunk.

    A chunk has at most `most` series, and no more than a page. Below 0.2 s what it costs to send
    one is felt; what is lost with its worker is all of it.
    """

    page: int = 200
    chunk_s: float = 1.0
    most: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is: series that are done with, those in trouble among them, of all.

    `came`: those that are done with since it was told before; at first all of an earlier run.
    """

    done: int
    troubled: int
    of: int
    came: tuple[str, ...] = field(default=(), compare=False, repr=False)


class _Came(NamedTuple):
    """What came of a chunk, and how long the CPU was busy with it: others may share the machine."""

    batch: tuple[Came, ...]
    busy_s: float


_Chunk: TypeAlias = tuple[Given[Value], ...]


def over_fleet(
    task: Task[Value], places: Places | Lanes, kept: Kept, pace: Pace | None = None
) -> Iterator[Progress]:
    """Do the work on each series that is not finished, keep what came of it, and tell how far.

    `kept` has the results afterwards, whatever the order in which they came.
    """
    pace = pace or Pace()
    finished = kept.finished(task.name)
    left = [one for one in task.series if one not in finished]
    done, troubled, of = len(task.series) - len(left), 0, len(task.series)
    before = tuple(one for one in task.series if one in finished)
    yield Progress(done=done, troubled=troubled, of=of, came=before)
    sizes = _Sizes(pace)
    work = partial(_worked, work=task.work, code=_code(places))
    with _pages(task, left, pace.page) as pages:
        chunks = sizes.cut(given for page in pages for given in page)
        for _, came in spread(chunks, work, _lost, places, _single):
            kept.save(task.name, came.batch)
            sizes.learn(came)
            done += len(came.batch)
            troubled += sum(isinstance(one.what, Trouble) for one in came.batch)
            names = tuple(one.series for one in came.batch)
            yield Progress(done=done, troubled=troubled, of=of, came=names)


def _code(places: Places | Lanes) -> str | None:
    """What workers elsewhere have to run; those of this machine run what we do."""
    return code_version() if isinstance(places, Places) and places.dask is not None else None


@contextmanager
def _pages(
    task: Task[Value], series: Sequence[str], size: int
) -> Iterator[Iterator[Sequence[Given[Value]]]]:
    """The pages of a task, one ahead of those who work on them."""
    cut = [series[at : at + size] for at in range(0, len(series), size)]
    reader = ThreadPoolExecutor(1, thread_name_prefix="serinus-fleet")
    try:
        yield _ahead(lambda page: reader.submit(_page, task, page), cut)
    finally:
        reader.shutdown(wait=True, cancel_futures=True)


def _ahead(
    read: Callable[[Sequence[str]], Future[Sequence[Given[Value]]]], cut: Sequence[Sequence[str]]
) -> Iterator[Sequence[Given[Value]]]:
    ahead: Future[Sequence[Given[Value]]] | None = None
    for page in cut:
        now, ahead = ahead, read(page)
        if now is not None:
            yield now.result()
    if ahead is not None:
        yield ahead.result()


def _page(task: Task[Value], page: Sequence[str]) -> Sequence[Given[Value]]:
    try:
        return task.load(page)
    except SourceError as error:
        trouble = Trouble(reason=error.code, text=str(error), lasts=False)
        return [Given(series, trouble) for series in page]


class _Sizes:
    """How many series go into a chunk: few at first, then as many as keep a worker busy."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._each_s = pace.chunk_s

    def cut(self, series: Iterable[Given[Value]]) -> Iterator[_Chunk[Value]]:
        """Series as chunks, each as large as is right when it is cut."""
        chunk: list[Given[Value]] = []
        for given in series:
            chunk.append(given)
            if len(chunk) >= self._size:
                yield tuple(chunk)
                chunk = []
        if chunk:
            yield tuple(chunk)

    @property
    def _size(self) -> int:
        most = min(self._pace.most, self._pace.page)
        return min(most, max(1, round(self._pace.chunk_s / self._each_s)))

    def learn(self, came: _Came) -> None:
        """What series take, the newest weighing most; a first one also compiles and imports."""
        if came.busy_s > 0:
            self._each_s += 0.5 * (came.busy_s / len(came.batch) - self._each_s)


def _worked(chunk: _Chunk[Value], work: Callable[[Value], bytes], code: str | None = None) -> _Came:
    """`code`: what is to be run; a worker of another version would mix its results with ours."""
    if code is not None and code != code_version():
        raise ConfigError("--dask: a worker runs another version of serinus: install the same")
    began = thread_time()
    batch = tuple(Came(one.series, _made(one.value, work)) for one in chunk)
    return _Came(batch, thread_time() - began)


def _made(value: Value | Trouble, work: Callable[[Value], bytes]) -> bytes | Trouble:
    if isinstance(value, Trouble):
        return value
    try:
        return work(value)
    except ShortHistoryError as error:
        return Trouble(reason="short_history", text=str(error))
    except SourceError as error:
        return Trouble(reason=error.code, text=str(error), lasts=False)
    except (SerinusError, ValueError, ArithmeticError) as error:
        return Trouble(reason="unusable", text=str(error))
    except Exception as error:  # noqa: BLE001 - whatever a library does to one series is told of it
        return Trouble(reason="broken", text=f"{type(error).__name__}: {error}")


def _single(chunk: _Chunk[Value]) -> Sequence[_Chunk[Value]]:
    """Each series by itself: which of them ends its worker is seen at once."""
    return [(one,) for one in chunk]


def _lost(chunk: _Chunk[Value], why: str) -> _Came:
    return _Came(tuple(Came(one.series, Trouble(reason="killed", text=why)) for one in chunk), 0.0)
