"""What takes lines beside a stream: time goes on by itself, and what is old goes."""

from __future__ import annotations

import time
from pathlib import Path

from detector.logs.lines import Level
from models.templates.miner import Miner
from pipelines.flows.logs_mined import OTHER
from pipelines.flows.logs_open import LogBounds, OpenLogs, open_logs
from pipelines.flows.stream import Stream
from pipelines.stores.templates import SqlTemplates
from tests.pipelines.flows.logging import Clock, PlainMiner, lines, opened
from tests.pipelines.flows.test_spans import spans

BOUNDS = LogBounds(templates=100, keep_hours=2, keep_days=1)


def logs_of(folder: Path, clock: Clock) -> tuple[OpenLogs, Stream]:
    """As `serinus serve` opens it."""
    life = opened(folder, clock)
    return open_logs(life.stream, life.database, "local", BOUNDS, clock), life.stream


def settled(stream: Stream) -> None:
    """All that was taken is written."""
    assert stream.drain(60)
    stream.part.logs.settle(now=True)


def test_steps_end_while_nothing_comes(tmp_path: Path) -> None:
    """The last error before the silence is read all the same."""
    clock = Clock()
    logs, stream = logs_of(tmp_path, clock)
    assert logs.lines.put("default", lines([(Level.ERROR, "disk 1 full")]))
    clock.now += 16
    give_up = time.monotonic() + 30
    while not logs.own.newest("local", "default") > 1000 * (clock.now - 15):
        assert time.monotonic() < give_up
        time.sleep(0.05)
    logs.close()
    stream.close()


def test_what_is_old_goes_and_the_newest_stays(tmp_path: Path) -> None:
    """Templates of a day, counters of two hours: nothing grows for ever."""
    clock = Clock()
    logs, stream = logs_of(tmp_path, clock)
    assert logs.lines.put("default", lines([(Level.ERROR, "old")], at=clock.now))
    clock.now += 100_000
    assert logs.lines.put("default", lines([(Level.ERROR, "new")], at=clock.now))
    settled(stream)
    assert logs.forget(clock.now) == 1
    assert [one.text for one in logs.templates.texts("default", _ids(logs)).values()] == ["new"]
    frames = logs.own.frames("local", "default", 0, round(1000 * clock.now))
    assert all(one.at > 1000 * (clock.now - 7_201) for one in frames)
    # What is not known any more is new when it comes again.
    assert logs.lines.put("default", lines([(Level.ERROR, "old")], at=clock.now))
    assert logs.lines.miners["default"].fresh == 3
    logs.close()
    stream.close()


def _ids(logs: OpenLogs) -> list[str]:
    assert isinstance(logs.templates, SqlTemplates)
    return sorted(logs.templates.known("local", "default"))


def test_a_flood_of_templates_leaves_room_again(tmp_path: Path) -> None:
    """One bad hour does not blind a tenant for a month."""
    clock = Clock()
    logs, stream = logs_of(tmp_path, clock)
    logs.lines._miner = lambda _: PlainMiner()
    words = ["".join(chr(97 + n // 26**k % 26) for k in range(3)) for n in range(130)]
    cause = [(Level.ERROR, "at last a cause")]
    for said in (*([(Level.WARN, word)] for word in words), cause):
        clock.now += 16
        assert logs.lines.put("default", lines(said, at=clock.now))
    settled(stream)
    flooded = set(_ids(logs))
    assert (len(flooded), OTHER in flooded) == (BOUNDS.templates + 1, True)
    # Half of them stay, those seen last.
    assert logs.forget(clock.now) > BOUNDS.templates // 2
    assert logs.lines.put("default", lines(cause, at=clock.now))
    settled(stream)
    texts = {one.text for one in logs.templates.texts("default", _ids(logs)).values()}
    assert "at last a cause" in texts
    logs.close()
    stream.close()


def test_a_miner_goes_on_where_it_was(tmp_path: Path) -> None:
    """A restart learns nothing anew, and no parameter of a line is on the disk."""
    clock = Clock()
    logs, stream = logs_of(tmp_path, clock)
    said = [(Level.INFO, f"user {name} asked for zebra{n}") for n, name in enumerate("abcdefgh")]
    assert logs.lines.put("default", lines(said * 4, at=clock.now))
    assert logs.spans.put("default", spans(0, 2))
    before = logs.lines.miners["default"].miner.to_bare_arrays()
    logs.close()
    stream.close()
    kept = opened(tmp_path, clock)
    held = kept.stream.part.held_beside("default")
    assert held is not None
    assert held.keys() == before.keys()
    assert b"zebra" not in held["samples"].tobytes()
    assert b"asked" in held["samples"].tobytes()
    kept.close()
    again, stream = logs_of(tmp_path, clock)
    assert again.lines.put("default", lines(said, at=clock.now))
    miner = again.lines.miners["default"].miner
    assert isinstance(miner, Miner)
    assert miner.tally.lines == 4 * len(said) + len(said)
    again.close()
    stream.close()
