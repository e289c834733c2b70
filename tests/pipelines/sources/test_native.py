"""Native histograms: read as the classic ones they would be, under the names of those."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.series import Answer, Matcher, MatchOp, Query, Series
from detector.signals.packs import shipped_packs
from pipelines.sources.native import EDGES, Natives, as_classic, bases_of
from pipelines.sources.wire import decode_matrix

NAME = "http_server_request_duration_seconds"
METRIC = {"__name__": NAME, "instance": "a", "http_response_status_code": "200"}
WHOLE = Matcher("le", MatchOp.EQUAL, "+Inf")
Bucket = tuple[float, float, float]


def body(*samples: tuple[float, list[Bucket]]) -> bytes:
    """Histograms as the API sends them."""
    told = [
        [
            at,
            {
                "count": f"{sum(count for *_, count in buckets):g}",
                "sum": "1",
                "buckets": [
                    [0, f"{low!r}", f"{high!r}", f"{count:g}"] for low, high, count in buckets
                ],
            },
        ]
        for at, buckets in samples
    ]
    return json.dumps(told).encode()


def counts(series: list[Series]) -> np.ndarray:
    """Cumulative counts at each edge and in all, of the first sample."""
    return np.array([one.values[0] for one in series])


def buckets_of(schema: int, offset: int, sizes: list[int]) -> list[Bucket]:
    """Neighbouring buckets of one schema."""
    base = 2.0 ** (2.0**-schema)
    return [(base ** (offset + i), base ** (offset + i + 1), float(n)) for i, n in enumerate(sizes)]


SIZES = st.lists(st.integers(0, 10_000), min_size=1, max_size=40)


@given(st.integers(-1, 5), st.integers(-60, 20), SIZES)
def test_counts_rise_over_the_edges_and_end_with_all(
    schema: int, offset: int, sizes: list[int]
) -> None:
    """What is read as a classic histogram must be one."""
    found = counts(as_classic(METRIC, body((10.0, buckets_of(schema, offset, sizes))), 0.0, 20.0))
    assert (np.diff(found) >= -1e-9 * sum(sizes)).all()
    assert found[-1] == sum(sizes)
    assert (found >= 0).all()


@given(st.integers(1, 4), SIZES)
def test_a_finer_schema_is_merged_without_loss(schema: int, sizes: list[int]) -> None:
    """A request is in the bucket in which it was: nothing is guessed where nothing need be."""
    own = buckets_of(schema, -6 * 2**schema, sizes)
    found = counts(as_classic(METRIC, body((10.0, own)), 0.0, 20.0))[:-1]
    expected = [sum(n for _, high, n in own if high <= edge * (1 + 1e-9)) for edge in EDGES]
    np.testing.assert_allclose(found, expected, atol=1e-6 * sum(sizes) + 1e-6)


@given(st.integers(-13, 5), st.integers(1, 1000))
def test_a_coarse_bucket_is_divided_in_the_middle(octave: int, size: int) -> None:
    """Both sides are divided alike, so that no difference comes of it."""
    low = 2.0**octave
    found = counts(as_classic(METRIC, body((10.0, [(low, 2 * low, float(size))])), 0.0, 20.0))
    at = int(np.flatnonzero(np.isclose(EDGES, low * 2**0.5))[0])
    assert found[at] == pytest.approx(size / 2)


def test_requests_faster_than_any_edge_are_counted_below_all() -> None:
    """The zero bucket lies on both sides of nothing."""
    series = as_classic(METRIC, body((10.0, [(-1e-128, 1e-128, 7.0), (0.25, 0.5, 3.0)])), 0.0, 20.0)
    assert counts(series)[0] == 7.0
    assert counts(series)[-1] == 10.0


def test_a_histogram_of_nothing_counts_nothing() -> None:
    """A pod that has not served yet has no buckets at all."""
    assert not counts(as_classic(METRIC, body((10.0, [])), 0.0, 20.0)).any()


def test_milliseconds_have_edges_of_their_own() -> None:
    """An edge of a tenth of a millisecond would leave all requests of a mesh above all others."""
    name = "istio_request_duration_milliseconds"
    series = as_classic({"__name__": name}, body((10.0, [(64.0, 128.0, 5.0)])), 0.0, 20.0)
    edges = [float(one.labels["le"]) for one in series[:-1]]
    np.testing.assert_allclose(edges, EDGES * 1000, rtol=1e-5)
    assert series[0].labels["__name__"] == f"{name}_bucket"


def test_only_samples_of_the_span_are_read() -> None:
    """The start is left out, as in every reading of ours."""
    told = body(*((at, [(0.25, 0.5, at)]) for at in (10.0, 20.0, 30.0)))
    series = as_classic(METRIC, told, 10.0, 20.0)
    assert series[-1].times.tolist() == [20.0]
    assert as_classic(METRIC, told, 30.0, 40.0) == []


def test_a_reply_with_histograms_has_their_buckets_as_series() -> None:
    """Both kinds may come in one answer, from targets that were changed one by one."""
    element = {"metric": METRIC, "histograms": json.loads(body((10.0, [(0.25, 0.5, 3.0)])))}
    plain = {"metric": {"__name__": "up"}, "values": [[10.0, "1"]]}
    data = {"resultType": "matrix", "result": [plain, element]}
    matrix = decode_matrix(json.dumps({"status": "success", "data": data}).encode(), "here")
    answer = matrix.answer(0.0, 20.0)
    assert {s.labels["__name__"] for s in answer.series} == {"up", f"{NAME}_bucket"}
    assert len(answer.series) == 1 + len(EDGES) + 1


def natives(*names: str) -> Natives:
    """As learned from the names of a source."""
    made = Natives(bases_of(shipped_packs()))
    made.told(frozenset(names))
    return made


def test_names_are_those_of_classic_histograms() -> None:
    """Discovery looks for the names that packs know."""
    told = Natives(bases_of(shipped_packs())).told(frozenset({NAME, "up"}))
    assert told == {"up", f"{NAME}_bucket", f"{NAME}_count"}


@pytest.mark.parametrize("other", [f"{NAME}_bucket", f"{NAME}_count"])
def test_what_has_classic_series_is_left_alone(other: str) -> None:
    """A histogram in both forms is read once; a summary bears the plain name, too."""
    names = frozenset({NAME, other})
    assert Natives(bases_of(shipped_packs())).told(names) == names
    assert natives(*names).instead(Query(other)) == Query(other)


def test_a_gauge_of_any_other_name_is_left_alone() -> None:
    """Most names of a source have neither buckets nor a count."""
    assert natives("temperature").told(frozenset({"temperature"})) == {"temperature"}


def test_a_query_is_sent_by_the_name_that_exists() -> None:
    """No series has the label of an edge, so that matcher stays here."""
    asked = Query(f"{NAME}_bucket", (Matcher("job", MatchOp.EQUAL, "checkout"), WHOLE))
    sent = natives(NAME).instead(asked)
    assert sent == Query(NAME, (Matcher("job", MatchOp.EQUAL, "checkout"),))


def test_requests_are_the_count_of_the_histogram() -> None:
    """The traffic, and with it every error rate, would otherwise be missing."""
    answer = Answer(series=as_classic(METRIC, body((10.0, [(0.25, 0.5, 3.0)])), 0.0, 20.0))
    (only,) = natives(NAME).answered(Query(f"{NAME}_count"), answer).series
    assert dict(only.labels) == {**METRIC, "__name__": f"{NAME}_count"}
    assert only.values.tolist() == [3.0]


def test_one_series_is_listed_under_each_name_that_was_asked_for() -> None:
    """Discovery binds requests and durations of the same pods."""
    queries = [
        Query(f"{NAME}_bucket", (WHOLE, Matcher("instance", MatchOp.EQUAL, "a"))),
        Query(f"{NAME}_count", (Matcher("instance", MatchOp.EQUAL, "b"),)),
    ]
    listed = natives(NAME).listed(queries, [METRIC, {"__name__": "up"}])
    assert listed == [{**METRIC, "__name__": f"{NAME}_bucket", "le": "+Inf"}, {"__name__": "up"}]


def test_edges_are_told_as_values_of_their_label() -> None:
    """A survey asks whether a histogram has a last bucket."""
    assert "+Inf" in natives(NAME).edges([Query(f"{NAME}_bucket")])
    assert natives(NAME).edges([Query("up")]) == ()
