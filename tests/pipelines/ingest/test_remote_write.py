"""Remote write as bytes: any of them are columns or an error, and the library agrees on which."""

from __future__ import annotations

import math
import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import InputError
from detector.stream.columns import SeriesKind, is_stale
from pipelines.ingest.decoded import Dropped, Refusal
from pipelines.ingest.labels import NAME
from pipelines.ingest.protocol import Door, Packing
from pipelines.testing.remote_write import Series, message, request
from pipelines.testing.sink import MemorySink
from tests.pipelines.ingest.doorways import ALWAYS, GOLDEN, NOW_MS, Doorway

WORDS = st.text(min_size=1, max_size=8)
LABELS = st.dictionaries(WORDS, WORDS, max_size=5).map(lambda labels: {**labels, NAME: "up"})
SAMPLES = st.lists(
    st.tuples(st.floats(), st.integers(min_value=-(2**63), max_value=2**63 - 1)), max_size=4
)
REQUESTS = st.lists(st.tuples(LABELS, SAMPLES), max_size=6)


def decoded(body: bytes, door: Doorway) -> list[tuple[dict[str, str], int, bytes]]:
    """Every sample of a body, at whatever time."""
    own = door.doors._tenants.of("default")
    columns = own.decoders[Door.REMOTE_WRITE].decode(body, ALWAYS).columns
    infos = own.interner
    return [
        (dict(infos[id].labels), at, struct.pack("<d", value))
        for id, at, value in zip(columns.series.tolist(), columns.at, columns.value, strict=True)
    ]


@given(REQUESTS)
def test_what_a_sender_encodes_is_what_is_read(series: list[Series]) -> None:
    """Labels in any script, any double to the bit, any time."""
    sent = [
        (dict(labels), at, struct.pack("<d", value))
        for labels, samples in series
        for value, at in samples
    ]
    door = Doorway()
    assert decoded(request(series), door) == sent
    assert decoded(request(series), door) == sent


@given(st.binary(max_size=200))
def test_any_bytes_are_columns_or_an_error(body: bytes) -> None:
    """Nothing that a sender can write stops the process."""
    with suppress(InputError):
        Doorway().take(Door.REMOTE_WRITE, body)


@given(REQUESTS, st.data())
def test_a_request_with_a_byte_changed_is_columns_or_an_error(
    series: list[Series], draw: st.DataObject
) -> None:
    """Nearly good bytes go further in than random ones."""
    body = bytearray(request(series))
    if body:
        body[draw.draw(st.integers(0, len(body) - 1))] = draw.draw(st.integers(0, 255))
    with suppress(InputError):
        decoded(bytes(body), Doorway())


@given(REQUESTS, st.integers(min_value=1, max_value=40))
def test_a_request_cut_short_gives_no_sample_that_was_not_sent(
    series: list[Series], cut: int
) -> None:
    """A cut falls between two series, where a part is a whole request, or is an error."""
    body = request(series)
    whole = decoded(body, Doorway())
    try:
        part = decoded(body[:-cut], Doorway())
    except InputError:
        return
    assert part == whole[: len(part)]


def test_fields_of_a_later_version_are_passed_over() -> None:
    """A new sender must not be an error for an old receiver."""
    unknown = (
        b"\xa2\x06\x03abc" + b"\xa8\x06\x96\x01" + b"\xb1\x06" + bytes(8) + b"\xbd\x06" + bytes(4)
    )
    body = request([({NAME: "up"}, [(1.0, NOW_MS)])])
    inner = body[2:] + unknown
    door = Doorway()
    door.take(Door.REMOTE_WRITE, b"\x0a" + bytes([len(inner)]) + inner + unknown)
    assert door.shown() == {"up": 1.0}


def test_labels_between_which_samples_lie_are_still_one_series() -> None:
    """The format allows any order of fields; the identity of a series does not hang on it."""
    one = message("TimeSeries")()
    one.labels.add(name=NAME, value="up")
    one.samples.add(value=1.0, timestamp=NOW_MS)
    two = message("TimeSeries")()
    two.labels.add(name="pod", value="a")
    mixed = one.SerializeToString() + two.SerializeToString()
    door = Doorway()
    door.take(Door.REMOTE_WRITE, b"\x0a" + bytes([len(mixed)]) + mixed)
    door.take(Door.REMOTE_WRITE, request([({NAME: "up", "pod": "a"}, [(2.0, NOW_MS)])]))
    assert [info.labels for info in door.sink.series["default"]] == [((NAME, "up"), ("pod", "a"))]
    assert len(door.sink.samples()) == 2


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([("pod", "a")], "without a name"),
        ([(NAME, "up"), ("a", "1"), ("a", "2")], "comes twice"),
        ([(NAME, "up"), ("", "x")], "without a name"),
        ([(NAME, "x" * 20_000)], "letters"),
        ([(NAME, "up"), *((f"l{n}", "x") for n in range(100_000))], "labels on one series"),
    ],
    ids=["nameless", "twice", "empty", "long", "100k"],
)
def test_labels_that_name_no_series_are_refused(labels: list[tuple[str, str]], words: str) -> None:
    """The series beside it is taken."""
    write = message("WriteRequest")()
    bad, good = write.timeseries.add(), write.timeseries.add()
    for name, value in labels:
        bad.labels.add(name=name, value=value)
    good.labels.add(name=NAME, value="up")
    for series in (bad, good):
        series.samples.add(value=1.0, timestamp=NOW_MS)
    door = Doorway()
    told = door.take(Door.REMOTE_WRITE, write.SerializeToString())
    assert told.refused.counts == {Refusal.LABELS: 1}
    assert words in told.refused.words
    assert door.shown() == {"up": 1.0}


def test_an_empty_label_is_no_label() -> None:
    """As everywhere in Prometheus."""
    door = Doorway()
    door.take(Door.REMOTE_WRITE, request([({NAME: "up", "pod": ""}, [(1.0, NOW_MS)])]))
    assert door.sink.series["default"][0].labels == ((NAME, "up"),)


def metadata(kind: int, name: str, unit: str = "") -> bytes:
    """A request that tells of a family."""
    write = message("WriteRequest")()
    write.metadata.add(type=kind, metric_family_name=name, unit=unit)
    body: bytes = write.SerializeToString()
    return body


def test_metadata_corrects_what_a_name_promised() -> None:
    """A gauge called `..._count` is no counter: from the next sample on it is another series."""
    door = Doorway()
    sample = request([({NAME: "pods_count"}, [(1.0, NOW_MS)])])
    door.take(Door.REMOTE_WRITE, sample)
    door.take(Door.REMOTE_WRITE, metadata(2, "pods_count", "pods"))
    door.take(Door.REMOTE_WRITE, sample)
    told = [(info.kind, info.unit) for info, _, _ in door.sink.samples()]
    assert told == [(SeriesKind.CUMULATIVE, ""), (SeriesKind.GAUGE, "pods")]


def test_ids_are_the_same_after_a_restart() -> None:
    """A series' state is found again by its id."""
    door = Doorway()
    body = request([({NAME: "up", "pod": str(n)}, [(1.0, NOW_MS)]) for n in range(5)])
    door.take(Door.REMOTE_WRITE, body)
    again = Doorway(door.sink)
    told = again.take(Door.REMOTE_WRITE, body)
    assert told.columns.series.tolist() == [0, 1, 2, 3, 4]
    assert len(door.sink.series["default"]) == 5


def test_a_refused_batch_loses_no_series() -> None:
    """They were given ids in a batch that the sink never saw, and are told with the next."""
    door = Doorway()
    door.sink.is_full = True
    body = request([({NAME: "up"}, [(1.0, NOW_MS)])])
    with pytest.raises(Exception, match="full"):
        door.take(Door.REMOTE_WRITE, body)
    door.sink.is_full = False
    door.take(Door.REMOTE_WRITE, body)
    assert door.shown() == {"up": 1.0}


def test_labels_that_churn_stop_at_the_limit_and_hold_up_nobody() -> None:
    """100,000 series that each come once: the first 1,000 have ids, memory stays where it was."""
    door = Doorway(series=1_000)
    for start in range(0, 100_000, 10_000):
        body = request(
            ({NAME: "up", "pod": str(n)}, [(1.0, NOW_MS)]) for n in range(start, start + 10_000)
        )
        door.take(Door.REMOTE_WRITE, body)
    refused = door.doors.tally.refused
    assert refused["default", "remote_write", "series_limit"] == 99_000
    assert door.doors.series() == {"default": 1_000}
    assert len(door.sink.samples()) == 1_000


def test_exemplars_are_counted_and_not_kept() -> None:
    """Whoever looks for them finds where they went."""
    write = message("WriteRequest")()
    series = write.timeseries.add()
    series.labels.add(name=NAME, value="up")
    series.samples.add(value=1.0, timestamp=NOW_MS)
    series.exemplars.add(value=2.0, timestamp=NOW_MS)
    told = Doorway().take(Door.REMOTE_WRITE, write.SerializeToString())
    assert told.dropped == {Dropped.EXEMPLARS: 1}


def native(**fields: Any) -> bytes:  # noqa: ANN401
    """A request with one native histogram."""
    write = message("WriteRequest")()
    series = write.timeseries.add()
    series.labels.add(name=NAME, value="latency")
    told = series.histograms.add(timestamp=NOW_MS, schema=1, **fields)
    told.positive_spans.add(offset=-1, length=3)
    told.positive_spans.add(offset=2, length=1)
    body: bytes = write.SerializeToString()
    return body


def test_native_histograms_are_told_at_powers_of_two() -> None:
    """Schema 1: bucket i ends at 2^(i/2); gaps of spans are empty buckets."""
    door = Doorway()
    # Buckets -1, 0, 1 hold 1, 3, 2, bucket 4 holds 4: ends at 0.71, 1, 1.41 and 4; two are zero.
    body = native(count_int=12, sum=20.0, zero_count_int=2, positive_deltas=[1, 2, -1, 2])
    door.take(Door.REMOTE_WRITE, body)
    assert door.shown() == {
        "latency_count": 12.0,
        "latency_sum": 20.0,
        'latency_bucket{le="0.5"}': 2.0,
        'latency_bucket{le="1"}': 6.0,
        'latency_bucket{le="2"}': 8.0,
        'latency_bucket{le="4"}': 12.0,
        'latency_bucket{le="+Inf"}': 12.0,
    }


def test_a_stale_native_histogram_ends_all_its_series() -> None:
    """Its marker is in its sum."""
    door = Doorway()
    door.take(Door.REMOTE_WRITE, native(count_int=4, sum=1.0, positive_deltas=[1, 0, 0, 0]))
    stale = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
    told = door.take(Door.REMOTE_WRITE, native(sum=stale, positive_deltas=[0, 0, 0, 0]))
    assert len(told.columns) > 2
    assert is_stale(told.columns.value).all()


def test_a_native_histogram_that_promises_more_buckets_than_it_has_is_refused() -> None:
    """Four billion buckets in six bytes are a bomb."""
    write = message("WriteRequest")()
    series = write.timeseries.add()
    series.labels.add(name=NAME, value="latency")
    told = series.histograms.add(timestamp=NOW_MS, positive_deltas=[1])
    told.positive_spans.add(offset=0, length=2**32 - 1)
    assert Doorway().take(Door.REMOTE_WRITE, write.SerializeToString()).refused.counts == {
        Refusal.HISTOGRAM: 1
    }


def test_a_native_histogram_of_an_unknown_schema_is_refused() -> None:
    """Its buckets would be told at wrong bounds."""
    write = message("WriteRequest")()
    series = write.timeseries.add()
    series.labels.add(name=NAME, value="latency")
    series.histograms.add(timestamp=NOW_MS, schema=9)
    told = Doorway().take(Door.REMOTE_WRITE, write.SerializeToString())
    assert told.refused.counts == {Refusal.HISTOGRAM: 1}
    assert "schema 9" in told.refused.words


def test_a_native_histogram_with_bounds_of_its_own_keeps_them() -> None:
    """Schema -53: classic buckets, only packed otherwise."""
    write = message("WriteRequest")()
    series = write.timeseries.add()
    series.labels.add(name=NAME, value="latency")
    told = series.histograms.add(timestamp=NOW_MS, schema=-53, count_int=6, sum=4.5)
    told.custom_values.extend([0.5, 1.0])
    told.positive_spans.add(offset=0, length=3)
    told.positive_deltas.extend([1, 1, 1])
    door = Doorway()
    door.take(Door.REMOTE_WRITE, write.SerializeToString())
    assert door.shown() == {
        "latency_count": 6.0,
        "latency_sum": 4.5,
        'latency_bucket{le="0.5"}': 1.0,
        'latency_bucket{le="1"}': 3.0,
        'latency_bucket{le="+Inf"}': 6.0,
    }


@pytest.mark.parametrize("version", ["prometheus2", "prometheus3"])
def test_what_prometheus_really_sent_is_read(version: str) -> None:
    """Bytes of a Prometheus that scraped a counter and a histogram."""
    door = Doorway(sink=MemorySink(), behind_s=10**9, ahead_s=10**9)
    for name in ("metadata", "samples"):
        body = (GOLDEN / f"{version}.{name}.snappy").read_bytes()
        assert not door.take(Door.REMOTE_WRITE, body, Packing.SNAPPY).refused.total
    shown = door.shown()
    assert shown["shop_requests_total"] == 3.0
    assert shown["up"] == 1.0
    assert (shown['shop_seconds_bucket{le="0.25"}'], shown['shop_seconds_bucket{le="0.5"}']) == (
        0,
        1,
    )
    assert math.isclose(shown["shop_seconds_sum"], 0.3)


def test_a_native_histogram_that_prometheus_really_sent_is_read() -> None:
    """Two requests of some twenty microseconds, scraped from Prometheus itself."""
    door = Doorway(behind_s=10**9, ahead_s=10**9)
    body = (GOLDEN / "prometheus3.native.snappy").read_bytes()
    assert not door.take(Door.REMOTE_WRITE, body, Packing.SNAPPY).refused.total
    name = "prometheus_http_request_duration_seconds"
    told = {key: value for key, value in door.shown().items() if key.startswith(name)}
    assert told.pop(f"{name}_sum") < 1e-4
    assert told == {
        f"{name}_count": 2.0,
        f'{name}_bucket{{le="0.00000762939453125"}}': 0.0,
        f'{name}_bucket{{le="0.0000152587890625"}}': 1.0,
        f'{name}_bucket{{le="0.000030517578125"}}': 2.0,
        f'{name}_bucket{{le="+Inf"}}': 2.0,
    }
