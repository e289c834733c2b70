"""Lines at another pace than life's: a demo's counters, and what is kept of them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from detector.errors import StoreError
from detector.logs.lines import Level
from detector.series import Query
from pipelines.flows.logs_pace import LIFE, Pace
from pipelines.sources.own import LINES, OwnSource
from pipelines.stores.own import STEP_MS, SqlOwn
from tests.pipelines.flows.logging import Clock, lines, opened

FAST = LIFE.faster(15)
ASKED = (Level.INFO, "session of user 7 opened")


def wrote(folder: Path, pace: Pace, clock: Clock, seconds: int = 5) -> None:
    """A process takes a line in each of some seconds, and ends."""
    life = opened(folder, clock, pace=pace)
    for _ in range(seconds):
        assert life.flow.put("default", lines([ASKED]))
        clock.now += 1
        life.taking.tick()
    assert life.stream.drain(60)
    life.stream.part.logs.settle(now=True)
    life.close()


def stands(folder: Path, clock: Clock) -> list[tuple[float, float]]:
    """What the counter of lines stood at, by seconds before now."""
    life = opened(folder, clock, pace=FAST)
    source = OwnSource(lambda: SqlOwn(life.database))
    (answer,) = source.read([Query(LINES)], clock.now - 60, clock.now)
    life.close()
    (one,) = answer.series
    return list(zip((one.times - clock.now).tolist(), one.values.tolist(), strict=True))


def test_counters_of_a_faster_clock_stand_every_second(tmp_path: Path) -> None:
    """A gate with bins of a second finds a sample in each, and the zero a second before."""
    clock = Clock()
    clock.now = float(round(clock.now))
    wrote(tmp_path, FAST, clock)
    found = stands(tmp_path, clock)
    assert [value for _, value in found] == [0, 1, 2, 3, 4, 5]
    times = [at for at, _ in found]
    assert [b - a for a, b in pairwise(times)] == [1.0] * 5


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [(LIFE, FAST, "every 15 s, .* every 1 s"), (FAST, LIFE, "every 1 s, .* every 15 s")],
    ids=["a demo on what serve kept", "serve on what a demo kept"],
)
def test_what_was_kept_at_another_step_is_refused(
    tmp_path: Path, first: Pace, second: Pace, words: str
) -> None:
    """No frame says its own step: gone on with, births would be told at wrong times for ever."""
    clock = Clock()
    wrote(tmp_path, first, clock, seconds=31)
    with pytest.raises(StoreError, match=words):
        opened(tmp_path, clock, pace=second)


@pytest.mark.parametrize("pace", [LIFE, FAST], ids=["life", "fast"])
def test_what_was_kept_at_the_same_step_is_gone_on_with(tmp_path: Path, pace: Pace) -> None:
    """A restart of whichever is none the wiser."""
    clock = Clock()
    wrote(tmp_path, pace, clock, seconds=31)
    wrote(tmp_path, pace, clock, seconds=31)
    life = opened(tmp_path, clock, pace=pace)
    life.settle()
    assert life.stands(level="info") == 62
    life.close()


def test_a_new_store_takes_any_step_until_something_is_counted(tmp_path: Path) -> None:
    """An empty one means nothing yet; without a mark it is that of life."""
    clock = Clock()
    for pace in (FAST, LIFE, FAST):
        life = opened(tmp_path, clock, pace=pace)
        assert SqlOwn(life.database).step_ms("local") == pace.step_ms
        life.close()
    assert SqlOwn(opened(tmp_path / "new", clock).database).step_ms("local") == STEP_MS


def test_a_faster_pace_is_faster_in_all_that_a_gate_waits_for() -> None:
    """What a batch takes on its way does not shrink with it; rates of what is kept grow."""
    assert (FAST.step_ms, FAST.live_ms) == (1_000, 20_000)
    assert FAST.put_off_s < 1.0
    assert FAST.spans.by_lot == 15 * LIFE.spans.by_lot
    assert FAST.spans.settle_s >= 1.0
    assert LIFE.faster(1) == LIFE
