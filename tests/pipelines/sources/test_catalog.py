"""What exists, asked through the client of others: what is sent, and what is made of the answer."""

from __future__ import annotations

import contextlib
import json
import traceback
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.errors import InputError, SourceError
from detector.series import Matcher, MatchOp, Query
from pipelines.sources.catalog import LONGEST_MATCH, PrometheusCatalog
from pipelines.sources.cost import Cost, Skew
from pipelines.sources.exchange import Exchange
from pipelines.sources.settings import Budget, SourceSettings
from pipelines.testing import FaultServer, Misbehaviour, RecordedRequest

T0, END, TIMEOUT_S = 1_790_000_000.0, 1_790_000_600.5, 20.0
UP = Query("up")
QUERY = Query("requests_total", (Matcher("service", MatchOp.EQUAL, 'a"b'),))
ONE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def opened(server: FaultServer, *, prefix: str = "", **budget: int) -> PrometheusCatalog:
    made = SourceSettings(url=f"{server.url}{prefix}", budget=Budget(**budget))
    return PrometheusCatalog(made, Exchange(made, Cost(), Skew()))


@pytest.fixture
def catalog(fault_server: FaultServer) -> PrometheusCatalog:
    """A catalogue of a server that says what it is told."""
    return opened(fault_server)


def said(data: object) -> bytes:
    """A good answer of the API."""
    return json.dumps({"status": "success", "data": data}).encode()


def asked(request: RecordedRequest) -> dict[str, list[str]]:
    """Parameters of a request, from its URL and its form."""
    query = urlsplit(request.path).query
    return parse_qs(query) | parse_qs(request.body.decode())


def path(request: RecordedRequest) -> str:
    return urlsplit(request.path).path


Call = Callable[[PrometheusCatalog], object]
CALLS: dict[str, Call] = {
    "metrics": lambda c: c.metrics(timeout_s=TIMEOUT_S),
    "series": lambda c: c.series([UP], T0, END, timeout_s=TIMEOUT_S),
    "label_values": lambda c: c.label_values("pod", [UP], T0, END, timeout_s=TIMEOUT_S),
    "metadata": lambda c: c.metadata(timeout_s=TIMEOUT_S),
}
each = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


# -- metrics


def test_metrics_are_the_names_that_there_are(
    catalog: PrometheusCatalog, fault_server: FaultServer
) -> None:
    """Which packs can bind at all is decided by these names."""
    fault_server.behave(said(["up", "requests_total", "up"]))
    assert catalog.metrics(timeout_s=TIMEOUT_S) == {"up", "requests_total"}
    assert path(fault_server.requests[0]) == "/api/v1/label/__name__/values"


@pytest.mark.parametrize(("older", "wanted"), [(["up"], {"up"}), ([], set())])
def test_metrics_are_looked_for_further_back_where_there_are_none(
    older: list[str], wanted: set[str], catalog: PrometheusCatalog, fault_server: FaultServer
) -> None:
    """VictoriaMetrics tells the names of the last day only; a history may be older, or empty."""
    fault_server.behave(said([]), said(older))
    assert catalog.metrics(timeout_s=TIMEOUT_S) == wanted
    assert [asked(request).get("start") for request in fault_server.requests] == [None, ["1"]]


@each
def test_parameters_of_the_source_go_with_every_call(call: Call, fault_server: FaultServer) -> None:
    """`extra_label` keeps tenants apart; a call without it would see those of others."""
    made = SourceSettings(url=fault_server.url, params={"extra_label": "team=a&b"})
    fault_server.behave(said([]))
    with contextlib.suppress(SourceError):  # metadata is no list
        call(PrometheusCatalog(made, Exchange(made, Cost(), Skew())))
    assert {tuple(asked(request)["extra_label"]) for request in fault_server.requests} == {
        ("team=a&b",)
    }


def test_a_prefix_of_the_url_is_kept(fault_server: FaultServer) -> None:
    """Mimir and proxies serve the API below a path."""
    fault_server.behave(said([]))
    opened(fault_server, prefix="/prometheus/").metrics(timeout_s=TIMEOUT_S)
    assert path(fault_server.requests[0]) == "/prometheus/api/v1/label/__name__/values"


# -- series


def test_series_are_asked_for_with_span_matchers_and_a_limit(
    catalog: PrometheusCatalog, fault_server: FaultServer
) -> None:
    """In a form, so that matchers need not fit into a URL; quotes survive."""
    fault_server.behave(said([{"__name__": "up", "pod": "a"}]))
    found = catalog.series([UP, QUERY], T0, END, timeout_s=TIMEOUT_S)
    (request,) = fault_server.requests
    told = asked(request)
    assert (request.method, path(request)) == ("POST", "/api/v1/series")
    assert told["match[]"] == ["up", 'requests_total{service="a\\"b"}']
    assert (float(told["start"][0]), float(told["end"][0])) == pytest.approx((T0, END), abs=1.0)
    assert told["limit"] == [str(Budget().max_series + 1)]
    assert list(found) == [{"__name__": "up", "pod": "a"}]


@pytest.mark.parametrize(("series", "refused"), [(3, False), (4, True)])
def test_more_series_than_the_budget_are_refused(
    fault_server: FaultServer, series: int, refused: bool
) -> None:
    """A selector of half the fleet is told so; nothing of it is judged."""
    fault_server.behave(said([{"pod": str(at)} for at in range(series)]))
    catalog = opened(fault_server, max_series=3)
    if not refused:
        assert len(catalog.series([UP], T0, END, timeout_s=TIMEOUT_S)) == series
        return
    with pytest.raises(SourceError, match="over 3 series; narrow the selector") as told:
        catalog.series([UP], T0, END, timeout_s=TIMEOUT_S)
    assert (told.value.code, told.value.retryable) == ("query_rejected", False)


def test_a_refusal_does_not_hold_what_was_refused(fault_server: FaultServer) -> None:
    """Errors outlive the call, with their frames: of 200 services 2.6 GB of label sets stayed."""
    fault_server.behave(said([{"pod": str(at)} for at in range(4)]))
    with pytest.raises(SourceError) as told:
        opened(fault_server, max_series=3).series([UP], T0, END, timeout_s=TIMEOUT_S)
    frames = [frame for frame, _ in traceback.walk_tb(told.value.__traceback__)]
    held = [value for frame in frames for value in frame.f_locals.values()]
    assert frames[-1].f_code.co_name == "series"
    assert [value for value in held if isinstance(value, list) and len(value) == 4] == []


def test_no_queries_ask_nothing(catalog: PrometheusCatalog, fault_server: FaultServer) -> None:
    """Without a matcher the API would tell every series that there is."""
    assert list(catalog.series([], T0, END, timeout_s=TIMEOUT_S)) == []
    assert list(catalog.label_values("pod", [], T0, END, timeout_s=TIMEOUT_S)) == []
    assert fault_server.requests == []


# -- label values


def test_values_of_a_label_are_sorted_and_told_once(
    catalog: PrometheusCatalog, fault_server: FaultServer
) -> None:
    """The nearest names of a message do not change from poll to poll."""
    fault_server.behave(said(["b", "a", "b"]))
    assert catalog.label_values("pod", [UP], T0, END, timeout_s=TIMEOUT_S) == ["a", "b"]
    told = asked(fault_server.requests[0])
    assert told["match[]"] == ["up"]
    assert (float(told["start"][0]), float(told["end"][0])) == (T0, END)


@pytest.mark.parametrize("label", ["", "a/b", "../admin", "a-b", "0a", "a b", "ä", "a\n"])
def test_what_is_no_label_name_is_never_sent(
    label: str, catalog: PrometheusCatalog, fault_server: FaultServer
) -> None:
    """It would go into the path of a URL; the caller is told which word it was."""
    with pytest.raises(InputError, match="is not a label name") as told:
        catalog.label_values(label, [UP], T0, END, timeout_s=TIMEOUT_S)
    assert told.value.field == "label"
    assert fault_server.requests == []


def test_a_label_with_dots_is_escaped_as_prometheus_3_reads_it(
    catalog: PrometheusCatalog, fault_server: FaultServer
) -> None:
    """OpenTelemetry's names keep their dots there, and `service.name` is one."""
    fault_server.behave(said(["shop"]))
    assert catalog.label_values("service.name_of", [UP], T0, END, timeout_s=TIMEOUT_S) == ["shop"]
    assert path(fault_server.requests[0]) == "/api/v1/label/U__service_2e_name__of/values"


@ONE
@given(lengths=st.lists(st.integers(1, LONGEST_MATCH + 500), min_size=1, max_size=6))
def test_long_matchers_are_asked_in_portions(
    lengths: list[int], catalog: PrometheusCatalog, fault_server: FaultServer
) -> None:
    """Every matcher once, in order, in URLs that proxies let through where that can be."""
    fault_server.requests.clear()
    fault_server.behave(said(["a"]))
    queries = [Query("m" * length) for length in lengths]
    assert catalog.label_values("pod", queries, T0, END, timeout_s=TIMEOUT_S) == ["a"]
    portions = [asked(request)["match[]"] for request in fault_server.requests]
    assert [match for portion in portions for match in portion] == ["m" * n for n in lengths]
    for portion in portions:
        assert len(portion) == 1 or sum(map(len, portion)) <= LONGEST_MATCH


def test_values_of_all_portions_are_joined(
    catalog: PrometheusCatalog, fault_server: FaultServer
) -> None:
    """The second part of an answer is not lost."""
    fault_server.behave(said(["b", "c"]), said(["a", "b"]))
    queries = [Query("m" * (LONGEST_MATCH - 10)), Query("n" * 100)]
    assert catalog.label_values("pod", queries, T0, END, timeout_s=TIMEOUT_S) == ["a", "b", "c"]


# -- metadata


def test_a_metric_has_the_type_that_was_told_first(
    catalog: PrometheusCatalog, fault_server: FaultServer
) -> None:
    """Two jobs may disagree about one name; the answer does not flip from poll to poll."""

    def kind(type_: str) -> dict[str, str]:
        return {"type": type_, "help": "", "unit": ""}

    metadata = {"up": [kind("gauge")], "x": [kind("counter"), kind("gauge")]}
    fault_server.behave(said(metadata))
    assert catalog.metadata(timeout_s=TIMEOUT_S) == {"up": "gauge", "x": "counter"}


# -- what is not the API


@each
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<html>please log in</html>", id="a login page"),
        pytest.param(b"[]", id="another JSON"),
        pytest.param(b'"up"', id="a word"),
        pytest.param(said(17), id="a number"),
        pytest.param(said([1, 2]), id="numbers"),
        pytest.param(said([{"pod": 1}]), id="numbers as values"),
        pytest.param(b'{"status":"success"}', id="no data"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_nothing_is_read_into_what_is_not_the_api(
    call: Call, body: bytes, catalog: PrometheusCatalog, fault_server: FaultServer
) -> None:
    """The client trusts any body; a page taken for an empty catalogue would bind no signal."""
    fault_server.behave(body)
    with pytest.raises(SourceError, match=r"Prometheus at http://127\.0\.0\.1:\d+ ") as told:
        call(catalog)
    assert told.value.retryable is False
    assert len(fault_server.requests) == 1


@each
@pytest.mark.parametrize(
    ("more", "words"),
    [
        pytest.param({"warnings": ["store-2: connection refused"]}, "store-2", id="a warning"),
        pytest.param({"isPartial": True}, "only a part of what exists", id="a flag"),
    ],
)
def test_a_part_of_the_catalogue_is_no_catalogue(
    call: Call,
    more: dict[str, object],
    words: str,
    catalog: PrometheusCatalog,
    fault_server: FaultServer,
) -> None:
    """Restarts that a store away would have told are else not judged, though it comes back."""
    fault_server.behave(json.dumps({"status": "success", "data": [], **more}).encode())
    with pytest.raises(SourceError, match=words) as told:
        call(catalog)
    assert (told.value.code, told.value.retryable) == ("source_unavailable", True)


@pytest.mark.parametrize(
    "more", [{"warnings": ["results truncated due to limit"]}, {"warnings": []}, {"infos": ["x"]}]
)
def test_what_our_own_limit_left_out_is_counted_by_us(
    more: dict[str, object], catalog: PrometheusCatalog, fault_server: FaultServer
) -> None:
    """Prometheus 3 warns of it too, and that is no store away."""
    fault_server.behave(json.dumps({"status": "success", "data": [{"a": "b"}], **more}).encode())
    assert list(catalog.series([UP], T0, END, timeout_s=TIMEOUT_S)) == [{"a": "b"}]


@each
def test_a_source_that_is_away_is_told_as_that(call: Call, fault_server: FaultServer) -> None:
    """503 of a load balancer is no answer of the API, and no error of the caller's."""
    fault_server.behave(Misbehaviour.UNAVAILABLE)
    with pytest.raises(SourceError) as told:
        call(opened(fault_server, retries=0))
    assert told.value.code == "source_unavailable"


def test_a_catalogue_that_hangs_is_left(fault_server: FaultServer) -> None:
    """By its own deadline, also through the layers of the client."""
    fault_server.behave(Misbehaviour.BLACK_HOLE)
    with pytest.raises(SourceError, match=r"within 0\.2 s"):
        opened(fault_server).metrics(timeout_s=0.2)


def test_a_list_without_end_is_read_no_further_than_its_series_allow(
    fault_server: FaultServer,
) -> None:
    """Older servers know no `limit`: ten million label sets would fill the memory first."""
    fault_server.behave(Misbehaviour.ENDLESS_MATRIX)
    catalog = opened(fault_server, max_series=10)
    with pytest.raises(SourceError, match="raise the budget max_series") as told:
        catalog.series([UP], T0, END, timeout_s=TIMEOUT_S)
    assert told.value.code == "query_rejected"
