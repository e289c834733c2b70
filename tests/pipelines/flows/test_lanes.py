"""Workers side by side: as many as were asked for, each by itself, and none left over."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import wait
from concurrent.futures.process import BrokenProcessPool

import psutil
import pytest

from detector.errors import ConfigError
from pipelines.flows.lanes import Places, lanes_of


def process(_: int) -> int:
    """Who works."""
    return os.getpid()


def threads(_: int) -> str | None:
    """How many threads a library of linear algebra may take."""
    return os.environ.get("OPENBLAS_NUM_THREADS")


def ends(part: int) -> int:
    """Ends its process, as the kernel does when memory is out."""
    os.kill(os.getpid(), signal.SIGKILL)
    return part


def fails(part: int) -> float:
    """A bug."""
    return 1 / part


def test_here_is_this_process() -> None:
    """Nothing is started, nothing travels; a bug is told by its future."""
    with lanes_of(Places()) as lanes:
        assert lanes.width == 1
        assert lanes.submit(process, 0).result() == os.getpid()
        error = lanes.submit(fails, 0).exception()
        assert isinstance(error, ZeroDivisionError)
        assert not lanes.is_death(error)
        lanes.look()


def test_workers_that_are_given_stay() -> None:
    """Who opened them closes them."""
    with lanes_of(Places()) as lanes, lanes_of(lanes) as lent:
        assert lent is lanes


@pytest.mark.slow
def test_one_that_is_ended_costs_no_other() -> None:
    """Its part fails as such, its neighbour goes on, and its place is filled again."""
    with lanes_of(Places(jobs=2)) as lanes:
        assert lanes.width == 2
        first, second = lanes.submit(process, 0), lanes.submit(process, 0)
        pids = {first.result(), second.result()}
        assert len(pids) == 2
        ended, spared = lanes.submit(ends, 0), lanes.submit(process, 0)
        wait((ended, spared))
        error = ended.exception()
        assert isinstance(error, BrokenProcessPool)
        assert lanes.is_death(error)
        assert spared.result() in pids
        anew = lanes.submit(process, 0).result()
        assert anew not in pids
        assert lanes.submit(threads, 0).result() == "1"
        lanes.look()
    assert not any(psutil.pid_exists(pid) for pid in (*pids, anew))


def test_dask_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install, and where."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"serinus\[dask\]"), lanes_of(Places(dask="tcp://x:1")):
        pass
