"""A partition's door gives the same samples whenever a message is read, also after a restart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from detector.errors import InputError
from detector.stream.columns import SeriesKind
from pipelines.flows.worker_door import PartDoor
from pipelines.flows.worker_part import WorkerPart
from pipelines.ingest.interning import Interner
from pipelines.ingest.limits import Limits
from pipelines.ingest.protocol import Format
from pipelines.ingest.tally import Tally
from pipelines.stores.sqlite import Database
from pipelines.testing.remote_write import message, snapped
from pipelines.topics.port import Message, Partition
from tests.pipelines.flows.working import (
    MINUTE,
    T0,
    TOPIC,
    body_of,
    gauges,
    kept,
    part_of,
    told,
)

COUNTER = 1
_names = count()


def written(number: int, *, pods: Sequence[str] = (), counts: Sequence[int] = ()) -> bytes:
    """A body of remote write: gauges by their names, and a native histogram of some buckets."""
    write = message("WriteRequest")()
    at = T0 + number * MINUTE
    for pod in pods:
        series = write.timeseries.add()
        series.labels.add(name="__name__", value="jobs")
        series.labels.add(name="pod", value=pod)
        series.samples.add(value=float(number), timestamp=at)
    if counts:
        series = write.timeseries.add()
        series.labels.add(name="__name__", value="wait")
        spread = series.histograms.add(
            count_int=sum(counts), sum=1.0, schema=0, zero_threshold=0.001, timestamp=at
        )
        spread.positive_spans.add(offset=0, length=len(counts))
        spread.positive_deltas.extend(np.diff([0, *counts]).tolist())
    return bytes(snapped(write.SerializeToString()))


def announced(kind: int) -> bytes:
    """A body that only says of what kind the family is."""
    write = message("WriteRequest")()
    write.metadata.add(type=kind, metric_family_name="jobs")
    return bytes(snapped(write.SerializeToString()))


def remote_write() -> list[Message]:
    """A series turns out to be a counter, others join, a histogram grows and shrinks."""
    bodies = [
        written(0, pods=["a"]),
        written(1, pods=["a"], counts=[1, 2, 3, 4, 5]),
        announced(COUNTER),
        written(3, pods=["a"], counts=[2]),
        written(4, pods=["a", "b"], counts=[3, 1]),
        written(5, pods=["c"], counts=[1, 1, 1, 1, 1, 1, 1]),
        written(6, pods=["a", "b", "c"], counts=[1]),
    ]
    return [told(number, body) for number, body in enumerate(bodies)]


def otlp() -> list[Message]:
    """An exponential histogram that grows and shrinks."""
    found = []
    for number, counts in enumerate(([1], [1, 2, 3, 4], [1], [5, 1], [0, 0, 0, 0, 0, 1], [2])):
        request = ExportMetricsServiceRequest()
        scope = request.resource_metrics.add().scope_metrics.add()
        metric = scope.metrics.add(name="wait")
        metric.exponential_histogram.aggregation_temporality = 2
        point = metric.exponential_histogram.data_points.add(
            time_unix_nano=(T0 + number * MINUTE) * 1_000_000, count=sum(counts), scale=0
        )
        point.positive.bucket_counts.extend(counts)
        found.append(told(number, request.SerializeToString()))
    return found


FORMS = {Format.REMOTE_WRITE: remote_write(), Format.OTLP_PROTO: otlp()}


def judged(folder: Path, form: Format, *cuts: int) -> dict[str, Any]:
    """What is kept of all messages by workers that change at some offsets."""
    database = Database(folder / f"{next(_names)}.db")
    messages = FORMS[form]
    for first, upto in zip((0, *cuts), (*cuts, len(messages)), strict=True):
        part = part_of(database, Partition(TOPIC, 0), f"w{first}", written=form)
        assert part.take(lambda: 0) == first
        _apply(part, messages[first:upto])
    found = kept(database)
    database.close()
    return found


def _apply(part: WorkerPart, messages: Sequence[Message]) -> None:
    for one in messages:
        part.apply(one)
    assert part.letters == []
    part.checkpoint()


@pytest.mark.parametrize("form", FORMS)
def test_a_restart_anywhere_leaves_every_series_its_id_and_its_kind(
    tmp_path: Path, form: Format
) -> None:
    """A counter would be taken for a gauge after a restart, or a bucket would come and go."""
    wanted = judged(tmp_path, form)

    found = [judged(tmp_path, form, cut) for cut in range(1, len(FORMS[form]))]

    assert all(one == wanted for one in found)
    assert judged(tmp_path, form, *range(1, len(FORMS[form]))) == wanted


def door(limits: Limits | None = None) -> PartDoor:
    """A door for columns whose names are its own."""
    made = PartDoor(Format.COLUMNAR, limits or Limits(), Tally())
    names: dict[str, Interner] = {}
    made.restore({}, lambda tenant: names.setdefault(tenant, Interner(limit=1000)))
    return made


def test_what_is_too_old_counts_against_the_time_of_its_message() -> None:
    """Read again a week later, other samples would be taken, and the state be another."""
    body = body_of(gauges(1), [1.0], T0)
    fresh, late = told(0, body, at=T0 + MINUTE), told(1, body, at=T0 + 2 * 3_600_000)

    counts = [len(door(Limits(behind_s=3600.0)).read(one)[1]) for one in (fresh, late)]

    assert counts == [1, 0]


@pytest.mark.parametrize(
    ("headers", "tenant"),
    [
        ((), "default"),
        ((("X-Scope-OrgID", b"team-a"),), "team-a"),
        ((("x-scope-orgid", b"team-a"),), "team-a"),
    ],
)
def test_the_header_names_the_tenant(headers: tuple[tuple[str, bytes], ...], tenant: str) -> None:
    """One team's metrics would be mixed with those of another."""
    found, columns = door().read(told(0, body_of(gauges(1), [1.0]), headers=headers))

    assert (found, len(columns)) == (tenant, 1)


@pytest.mark.parametrize("name", [b"", b"../x", b"\xff\xfe", b"a" * 65])
def test_a_tenant_that_cannot_be_one_is_refused(name: bytes) -> None:
    """A message would make a tenant that nobody can ask for."""
    with pytest.raises(InputError, match="X-Scope-OrgID"):
        door().read(told(0, body_of(gauges(1), [1.0]), headers=(("X-Scope-OrgID", name),)))


def test_tenants_and_their_series_are_bounded() -> None:
    """Labels that change with every pod would fill the memory of all workers in turn."""
    own = door(Limits(tenants=1, series=2))
    own.read(told(0, body_of(gauges(2), [1.0, 2.0])))

    with pytest.raises(InputError, match="1 tenants already"):
        own.read(told(1, body_of(gauges(1), [1.0]), headers=(("X-Scope-OrgID", b"other"),)))
    _, columns = own.read(told(2, body_of(gauges(3), [1.0, 2.0, 3.0])))

    assert len(columns) == 2


def test_a_message_without_a_value_is_refused() -> None:
    """A deleted key of a compacted topic would stop its partition."""
    with pytest.raises(InputError, match="no value"):
        door().read(told(0, None))


def test_kinds_are_those_that_metadata_told() -> None:
    """What the comparison above compares would be gauges throughout."""
    own = PartDoor(Format.REMOTE_WRITE, Limits(), Tally())
    names = Interner(limit=1000)
    own.restore({}, lambda _: names)
    for one in FORMS[Format.REMOTE_WRITE]:
        own.read(one)

    kinds = {info.kind for _, info in own.new()["default"] if info.name == "jobs"}

    assert kinds == {SeriesKind.GAUGE, SeriesKind.CUMULATIVE}
