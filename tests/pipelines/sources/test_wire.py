"""Decoding against a plain reading of the same JSON, and what is not a matrix."""

from __future__ import annotations

import json
import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import SourceError
from pipelines.sources.refusal import TooMuchError
from pipelines.sources.wire import BATCH, decode_matrix, range_selector

WHERE = "Prometheus at http://there"
T0 = 1_767_225_600.0

numbers = st.one_of(st.floats(), st.integers(-(2**60), 2**60).map(float), st.just(math.nan))
labels = st.dictionaries(st.sampled_from("abc"), st.text(max_size=6), max_size=3)


def written(value: float) -> str:
    """As Go writes it."""
    special = {math.inf: "+Inf", -math.inf: "-Inf"}
    text = "NaN" if math.isnan(value) else special.get(value, repr(value))
    return (
        text.replace("e", "e+") if "e" in text and "e-" not in text and "e+" not in text else text
    )


@st.composite
def matrices(draw: st.DrawFn) -> list[tuple[dict[str, str], list[tuple[float, float]]]]:
    """Series with ascending millisecond times, some of them without samples."""
    found = []
    for _ in range(draw(st.integers(0, 5))):
        steps = draw(st.lists(st.integers(1, 10**7), max_size=12))
        times = (T0 * 1000 + np.cumsum(steps)) / 1000
        values = draw(st.lists(numbers, min_size=len(steps), max_size=len(steps)))
        found.append((draw(labels), list(zip(times.tolist(), values, strict=True))))
    return found


def body(
    matrix: list[tuple[dict[str, str], list[tuple[float, float]]]], *, indent: int | None = None
) -> bytes:
    result = [
        {"metric": metric, "values": [[at, written(value)] for at, value in pairs]}
        for metric, pairs in matrix
    ]
    data = {"resultType": "matrix", "result": result}
    return json.dumps({"status": "success", "data": data}, indent=indent).encode()


@given(
    matrix=matrices(),
    start=st.floats(-10, 1e5),
    length=st.floats(0, 1e5),
    indent=st.none() | st.just(1),
)
def test_decoded_is_what_was_written(
    matrix: list[tuple[dict[str, str], list[tuple[float, float]]]],
    start: float,
    length: float,
    indent: int | None,
) -> None:
    """The quick way reads the same numbers as json and float do, whatever the white space."""
    low, high = T0 + start, T0 + start + length
    answer = decode_matrix(body(matrix, indent=indent), WHERE).answer(low, high)
    kept = [(m, [p for p in pairs if low < p[0] <= high]) for m, pairs in matrix]
    wanted = [(m, pairs) for m, pairs in kept if pairs]
    assert [series.labels for series in answer.series] == [metric for metric, _ in wanted]
    for series, (_, pairs) in zip(answer.series, wanted, strict=True):
        np.testing.assert_array_equal(series.times, [at for at, _ in pairs])
        np.testing.assert_array_equal(series.values, [value for _, value in pairs])


def test_batches_join_without_a_seam() -> None:
    """More series than one batch, of different lengths, some empty."""
    matrix = [
        ({"n": str(n)}, [(T0 + k, float(n * 1000 + k)) for k in range(n % 7)])
        for n in range(3 * BATCH + 5)
    ]
    decoded = decode_matrix(body(matrix), WHERE)
    answer = decoded.answer(T0 - 1, T0 + 10)
    found = {series.labels["n"]: series.values.tolist() for series in answer.series}
    assert found == {m["n"]: [value for _, value in pairs] for m, pairs in matrix if pairs}


@given(matrix=matrices())
def test_samples_are_counted_before_parsing(
    matrix: list[tuple[dict[str, str], list[tuple[float, float]]]],
) -> None:
    """The budget sees at least what is there, and at most one more for an empty series."""
    counted = decode_matrix(body(matrix), WHERE).samples
    there = sum(len(pairs) for _, pairs in matrix)
    assert there <= counted <= there + len(matrix)


def test_unordered_and_double_times_are_put_right() -> None:
    """Some that speak the API merge replicas carelessly."""
    matrix = [({"a": "b"}, [(T0 + 2, 2.0), (T0 + 1, 1.0), (T0 + 2, 9.0)])]
    (series,) = decode_matrix(body(matrix), WHERE).answer(T0, T0 + 5).series
    assert series.times.tolist() == [T0 + 1, T0 + 2]
    assert series.values.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(("said", "warnings"), [("true", 1), ("false", 0)])
def test_partial_answer_of_a_cluster_is_a_warning(said: str, warnings: int) -> None:
    """VictoriaMetrics does not warn, it sets a flag."""
    text = (
        f'{{"status":"success","isPartial":{said},'
        '"data":{"resultType":"matrix","result":[]},"stats":{"seriesFetched":"0"}}'
    )
    assert len(decode_matrix(text.encode(), WHERE).answer(0, 1).warnings) == warnings


@pytest.mark.parametrize(
    ("content_type", "left"),
    [
        ("application/stream+json; charset=utf-8", [(T0 + 2, 5.0), (T0 + 3, math.inf)]),
        ("application/json", [(T0 + 1, math.nan), (T0 + 2, 5.0), (T0 + 3, math.inf)]),
        ("", [(T0 + 1, math.nan), (T0 + 2, 5.0), (T0 + 3, math.inf)]),
    ],
)
def test_nan_of_an_export_is_a_stale_marker(
    content_type: str, left: list[tuple[float, float]]
) -> None:
    """VictoriaMetrics tells markers as NaN: a pod that is gone must not seem to serve once more."""
    matrix = [({"a": "b"}, [(T0 + 1, math.nan), (T0 + 2, 5.0), (T0 + 3, math.inf)])]
    answer = decode_matrix(body(matrix), WHERE, content_type).answer(T0, T0 + 5)
    (series,) = answer.series
    np.testing.assert_array_equal(np.stack([series.times, series.values], axis=1), left)


def test_a_series_of_markers_alone_is_no_series() -> None:
    """It ended before the span began."""
    matrix = [({"a": "b"}, [(T0 + 1, math.nan)])]
    exported = decode_matrix(body(matrix), WHERE, "application/stream+json")
    assert not exported.answer(T0, T0 + 5).series


@pytest.mark.parametrize(
    ("words", "kind", "retryable"),
    [
        ("cannot process more than 10 samples per series", TooMuchError, False),
        ("cannot unpack a time series", SourceError, False),
    ],
)
def test_an_error_behind_an_answer_is_the_answer(
    words: str, kind: type[SourceError], retryable: bool
) -> None:
    """What comes before it may be half of the series, or none: nothing of it is believed."""
    text = body([({"a": "b"}, [(T0 + 1, 1.0)])])
    late = json.dumps(
        {"status": "error", "errorType": "422", "error": words}, separators=(",", ":")
    )
    with pytest.raises(SourceError, match=words) as caught:
        decode_matrix(text + late.encode(), WHERE)
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.retryable) == ("query_rejected", retryable)


def test_a_label_that_looks_like_an_error_is_a_label() -> None:
    """Whoever can name a pod cannot make an answer an error."""
    odd = '}{"status":"error","error":"exceeded"}'
    (series,) = decode_matrix(body([({"a": odd}, [(T0, 1.0)])]), WHERE).answer(T0 - 1, T0).series
    assert series.labels == {"a": odd}


def test_native_histograms_come_as_their_buckets() -> None:
    """They have no float samples; what is compared are counts up to an edge."""
    text = (
        b'{"status":"success","data":{"resultType":"matrix","result":['
        b'{"metric":{"__name__":"h"},"histograms":[[1,{"count":"1","sum":"1"}]]},'
        b'{"metric":{"__name__":"g"},"values":[[1,"5"]]}]}}'
    )
    answer = decode_matrix(text, WHERE).answer(0, 2)
    assert {series.labels["__name__"] for series in answer.series} == {"g", "h_bucket"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b"", "did not answer JSON"),
        (b"OK", "did not answer JSON"),
        (b"\n <html>", "HTML"),
        (b'{"status":"success","data":{"resultType":"matrix","res', "half an answer"),
        (b'{"status":"error","error":"x"}', "not an answer of the Prometheus API"),
        (b'{"hello":"world"}', "not an answer of the Prometheus API"),
        (b'{"status":"success","data":{"resultType":"streams","result":[]}}', "'streams'"),
    ],
)
def test_what_is_no_matrix_says_what_it_is(text: bytes, word: str) -> None:
    """The sentence is what somebody reads at night."""
    with pytest.raises(SourceError, match=word) as caught:
        decode_matrix(text, WHERE)
    assert str(caught.value).startswith(WHERE)


@given(start=st.floats(T0, T0 + 1e6), length=st.floats(1e-4, 1e5))
def test_range_covers_the_span_in_whole_milliseconds(start: float, length: float) -> None:
    """For a closed and for a left-open server: what comes is cut, what is missing is lost."""
    text, time = range_selector("up", start, start + length)
    selector, _, duration = text.partition("[")
    end_ms = round(float(time) * 1000)
    assert selector == "up"
    assert end_ms / 1000 >= start + length
    assert (end_ms - int(duration.removesuffix("ms]"))) / 1000 <= start
    assert len(time.split(".")[1]) == 3


@given(st.lists(st.lists(st.integers(1, 6), max_size=6), max_size=4))
def test_any_disorder_is_put_right_in_its_own_series(drawn: list[list[int]]) -> None:
    """A replica's late samples would end up in the series of another pod."""
    matrix = [
        ({"n": str(n)}, [(T0 + at, 100.0 * n + k) for k, at in enumerate(times)])
        for n, times in enumerate(drawn)
    ]
    answer = decode_matrix(body(matrix), WHERE).answer(T0, T0 + 10)
    wanted = {
        str(n): {T0 + at: 100.0 * n + times.index(at) for at in sorted(times)}
        for n, times in enumerate(drawn)
        if times
    }
    found = {
        s.labels["n"]: dict(zip(s.times.tolist(), s.values.tolist(), strict=True))
        for s in answer.series
    }
    assert found == wanted
    assert all(list(one) == sorted(one) for one in found.values())


def test_half_a_pair_is_no_sample() -> None:
    """The value of one series would be read as the time of the next."""
    text = (
        '{"status":"success","data":{"resultType":"matrix","result":['
        '{"metric":{},"values":[[1,"2"],[3]]},{"metric":{},"values":[[4]]}]}}'
    )
    with pytest.raises(ValueError, match="time and a value"):
        decode_matrix(text.encode(), WHERE).answer(0, 9)


def test_parts_of_a_reply_have_the_samples_of_their_own_series() -> None:
    """Rollouts that are read together would be judged by each other's pods."""
    matrix = [({"pod": f"p{n}"}, [(T0 + k, 10.0 * n + k) for k in range(n)]) for n in range(5)]
    reply = decode_matrix(body(matrix), WHERE)
    found = [
        {s.labels["pod"]: s.values.tolist() for s in reply.part(places).answer(T0, T0 + 2).series}
        for places in ([4, 2], [0, 1], [], [0, 1, 2, 3, 4])
    ]
    assert found == [
        {"p4": [41.0, 42.0], "p2": [21.0]},
        {},
        {},
        {"p2": [21.0], "p3": [31.0, 32.0], "p4": [41.0, 42.0]},
    ]
    assert [reply.part(places).samples for places in ([4, 2], [3])] == [6, 3]


def test_what_cannot_be_read_is_the_trouble_of_its_own_part() -> None:
    """One odd series would take the samples of all rollouts that are read together."""
    text = body([({"pod": "odd"}, [(T0 + 1, 1.0)]), ({"pod": "sound"}, [(T0 + 1, 2.0)])])
    reply = decode_matrix(text.replace(b'"1.0"', b'"one"').replace(b'"1"', b'"one"'), WHERE)
    [sound] = reply.part([1]).answer(T0, T0 + 2).series
    assert sound.values.tolist() == [2.0]
    with pytest.raises((ValueError, msgspec.MsgspecError)):
        reply.part([0]).answer(T0, T0 + 2)
