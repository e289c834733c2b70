"""What a tree of processes took: all below this one, and only they."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import process_time

import pytest

from bench.forecast.fleet_tree import peak_mb, spending

# Says when it begins, works for so long on the CPU at each line that comes, and says so.
BUSY = """
import sys, time
print("ready", flush=True)
for _ in sys.stdin:
    began = time.process_time()
    while time.process_time() - began < 0.2: pass
    print("done", flush=True)
"""
LARGE = "held = b'x' * 80_000_000; print('ready', flush=True); input()"


@contextmanager
def child(code: str) -> Iterator[subprocess.Popen[str]]:
    """A process that is ready."""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
        yield run
        run.kill()


def works(run: subprocess.Popen[str]) -> None:
    """Two tenths of a second of it."""
    assert run.stdin is not None
    assert run.stdout is not None
    run.stdin.write("\n")
    run.stdin.flush()
    assert run.stdout.readline() == "done\n"


@pytest.mark.slow
def test_what_a_child_does_counts_and_what_another_side_does_not() -> None:
    """Two sides are alive at once, and each is told what it took itself."""
    with child(BUSY) as ours, child(BUSY) as theirs:
        with spending(without=[theirs.pid]) as spent:
            works(ours)
            works(theirs)
        with spending() as both:
            works(ours)
            works(theirs)
        with spending(without=[ours.pid, theirs.pid]) as neither:
            works(ours)
    assert 0.15 <= spent.cpu_s < 0.35
    assert 0.35 <= both.cpu_s < 0.6
    assert neither.cpu_s < 0.1
    assert both.wall_s >= both.cpu_s / 2


def test_what_was_before_does_not_count() -> None:
    """Nor does a process that is gone again: it is no error."""
    with spending() as spent:
        subprocess.run([sys.executable, "-c", ""], check=True)
    with spending() as worked:
        began = process_time()
        while process_time() - began < 0.1:
            pass
    assert spent.cpu_s < 0.1 <= worked.cpu_s + 0.02


def test_a_process_that_is_not_there_takes_nothing() -> None:
    """It ended in the meantime."""
    with spending(without=[2**22 + 1]) as spent, peak_mb(2**22 + 1) as peak:
        pass
    assert spent.cpu_s < 0.1
    assert peak[0] == 0


def test_the_most_memory_is_of_the_tree() -> None:
    """The interpreter that began it is small; what it began is not."""
    outer = (
        "import subprocess, sys\n"
        f"run = subprocess.Popen([sys.executable, '-c', {LARGE!r}], stdin=-1, stdout=-1)\n"
        "run.stdout.readline(); print('ready', flush=True); input()"
    )
    with child(outer) as run, peak_mb(run.pid, every_s=0.01) as peak:
        while not peak[0]:
            pass
    assert 80 < peak[0] < 400
