"""The embedded stream: what was taken is judged once, whatever happens to the process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detector.errors import StoreError
from detector.signals.packs import shipped_packs
from detector.stream.anomaly import Judged
from detector.stream.columns import Columns, SeriesKind
from detector.stream.feedback import Feedback
from detector.stream.record import AnomalyFilter, KeptAnomaly
from detector.stream.settings import StreamSettings
from detector.stream.subject import Owners
from pipelines.flows.stream import Stream
from pipelines.flows.stream_part import StreamPart
from pipelines.ingest.interning import Interner
from pipelines.stores.anomalies import SqlAnomalies
from pipelines.stores.connections import Connections
from pipelines.stores.events import SqlEvents
from pipelines.stores.spool import Spool
from pipelines.stores.sqlite import Database

T0 = 1_790_000_000_000 - 1_790_000_000_000 % 3_600_000
MINUTE = 60_000
OWNERS = Owners(shipped_packs())


def named(stream: Stream, count: int) -> Interner:
    """What gives ids to a stream's series, after it gave them to gauges of some pods."""
    names = stream.known("default")
    assert isinstance(names, Interner)
    for n in range(count):
        labels = (("__name__", "queue"), ("pod", f"checkout-{n}"), ("service", "checkout"))
        names.id_of(labels, SeriesKind.GAUGE)
    return names


def batches(minutes: int = 300, series: int = 4) -> list[Columns]:
    """One batch a minute; from the 200th on two series are far out for twenty minutes."""
    rng = np.random.default_rng(7)
    value = 10 + rng.normal(size=(minutes, series))
    value[200:220, :2] += 30
    ids = np.arange(series, dtype=np.int32)
    return [
        Columns(series=ids, at=np.full(series, T0 + n * MINUTE, np.int64), value=value[n])
        for n in range(minutes)
    ]


def opened(folder: Path, **more: float) -> tuple[Stream, Database]:
    """A stream on a folder, as a process would open it."""
    database = Database(folder / "stream.db")
    part = StreamPart(database, "local", owners=OWNERS, settings=StreamSettings(alarms_a_week=0.01))
    return Stream(part, Spool(folder / "spool"), **more), database  # type: ignore[arg-type]


def found(database: Connections) -> tuple[KeptAnomaly, ...]:
    """All anomalies, newest first."""
    return SqlAnomalies(database).list(AnomalyFilter(tenant="default")).anomalies


def undisturbed(folder: Path) -> tuple[KeptAnomaly, ...]:
    """What a stream that nobody disturbs finds."""
    stream, database = opened(folder)
    names = named(stream, 4)
    assert all(stream.put("default", batch, names) for batch in batches())
    stream.close()
    return found(database)


def test_samples_become_anomalies_in_the_store(tmp_path: Path) -> None:
    """The thinnest way from a door to what people see."""
    kept = undisturbed(tmp_path)
    assert kept[0].anomaly.subject.service == "checkout"
    assert kept[0].anomaly.members == 2
    assert dict(kept[0].series[0].labels)["pod"] == "checkout-0"


def test_a_process_that_died_goes_on_where_its_spool_ends(tmp_path: Path) -> None:
    """The first life is never closed: all that it leaves is the spool, as after kill -9."""
    expected = undisturbed(tmp_path / "whole")
    every = batches()
    stream, database = opened(tmp_path / "killed")
    for part in (every[:150], every[150:210], every[210:]):
        stream, database = opened(tmp_path / "killed")
        names = named(stream, 4)
        assert all(stream.put("default", batch, names) for batch in part)
    stream.close()
    assert found(database) == expected


def test_a_full_queue_takes_nothing_and_loses_no_series(tmp_path: Path) -> None:
    """The door answers 429, and the series come with the batch when it is sent again."""
    stream, _ = opened(tmp_path, room=4)
    large = Columns(
        series=np.zeros(100_000, np.int32),
        at=np.arange(100_000, dtype=np.int64) + T0,
        value=np.zeros(100_000),
    )
    assert stream.put("default", large, named(stream, 1))
    names = named(stream, 4)
    assert not stream.put("default", batches(1)[0], names)
    assert [id for id, _ in names.fresh()] == [1, 2, 3]
    assert stream.drain(60)
    assert stream.put("default", batches(1)[0], names)
    assert names.fresh() == ()
    stream.close()


def test_feedback_is_applied_and_outlives_the_process(tmp_path: Path) -> None:
    """Who said "normal" last night is not woken by the same tonight because of a restart."""
    kept = undisturbed(tmp_path)[0].anomaly
    stream, database = opened(tmp_path)
    feedback = Feedback(
        anomaly=kept.id,
        judged=Judged.NORMAL,
        at=T0,
        series=tuple(one.series for one in kept.contributions),
        surprise=tuple(one.surprise for one in kept.contributions),
    )
    tunings = stream.say("default", feedback).result(30)
    stream.close()
    again, _ = opened(tmp_path)
    more = again.say("default", feedback).result(30)
    again.close()
    assert [one.normal for one in tunings] == [1, 1]
    assert [one.normal for one in more] == [2, 2]
    assert all(0 < a.shift < b.shift for a, b in zip(tunings, more, strict=True))
    del database


def test_two_owners_of_one_part_do_not_both_write(tmp_path: Path) -> None:
    """A second process on the same folder takes over; the first one writes no checkpoint."""
    database = Database(tmp_path / "stream.db")
    first, second = (
        StreamPart(database, "local", owners=OWNERS, settings=StreamSettings(alarms_a_week=0.01))
        for _ in range(2)
    )
    first.take()
    second.take()
    with pytest.raises(StoreError, match="another process"):
        first.checkpoint()
    second.checkpoint()


def test_a_stream_that_stopped_says_so(tmp_path: Path) -> None:
    """A door must not acknowledge what nobody will judge."""
    stream, _ = opened(tmp_path)
    stream.close()
    with pytest.raises(StoreError, match="takes nothing"):
        stream.put("default", batches(1)[0], named(stream, 4))


def test_positions_that_a_power_cut_took_are_not_given_again(tmp_path: Path) -> None:
    """The database had told of them already: what comes next would be taken for the same events."""
    first, database = opened(tmp_path)
    names = named(first, 4)
    assert all(first.put("default", batch, names) for batch in batches()[:210])
    assert first.drain(60)
    for path in tmp_path.glob("spool/*.spool"):
        path.unlink()
    told: list[int] = []
    second, _ = opened(tmp_path)
    second.watch = lambda number, _: told.append(number)
    names = named(second, 4)
    assert all(second.put("default", batch, names) for batch in batches())
    assert second.drain(60)
    second.close()
    assert second.meters.failed == ""
    assert told == sorted(set(told))
    before = [one.number for one in SqlEvents(database).after(0, 100)][: -len(told)]
    assert len(before) > 0
    assert max(before) < min(told)


def test_a_spool_that_does_not_follow_the_checkpoint_is_refused(tmp_path: Path) -> None:
    """Its samples would be judged as those of other series."""
    stream, _ = opened(tmp_path)
    names = named(stream, 4)
    assert all(stream.put("default", batch, names) for batch in batches()[:3])
    assert stream.drain(60)
    spool = next(tmp_path.glob("spool/*.spool"))
    spool.write_bytes(b"")
    spool.rename(spool.with_name("7".zfill(20) + ".spool"))
    other = Spool(tmp_path / "spool")
    other.append(b"x")
    with pytest.raises(StoreError, match="no record 1"):
        opened(tmp_path)
