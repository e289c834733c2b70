"""Capacity and forecasts of a running serinus as frames, against the real app over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest

from api import client
from api.bodies.capacity import ResourceAnswer
from api.client.columns import CAPACITY
from api.client.foretold import POINTS, foretold
from api.client.running import Client
from pipelines.testing import FaultServer
from tests.api.capable import NOW, capable
from tests.api.cli.served import serving
from tests.api.client.test_running import OPENAPI, dtypes, of, resolved

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made() -> Iterator[Client]:
    """A serinus that has assessed four resources."""
    with serving(capable().door.app) as url, Client(url) as asked:
        yield asked


def test_resources_come_as_rows_the_most_urgent_first(made: Client) -> None:
    """When each runs out, how sure that is, and what to do."""
    found = made.capacity()
    assert len(found) == 4
    disk = found.iloc[0]
    assert (disk["name"], disk["team"], disk["action"], disk["limit"]) == (
        "data",
        "stores",
        "raise",
        100,
    )
    now = pd.Timestamp(NOW, unit="s", tz="UTC")
    assert now < disk["p10"] <= disk["p50"] <= disk["p90"]
    assert disk["share"] == pytest.approx(0.95, abs=0.03)
    assert of(found) == dtypes(tuple(CAPACITY))
    assert found.attrs["summary"][0].startswith("1 of 2 resources may run out")
    assert (found.attrs["problem"], found.attrs["more"]) == (None, False)


def test_what_is_not_known_is_missing_and_says_why(made: Client) -> None:
    """No date is no date."""
    new = made.capacity().set_index("name").loc["new"]
    assert pd.isna(new["p50"])
    assert "history" in new["problem"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"service": "web"}, {"heap", "new"}),
        ({"team": "stores", "kind": "disk"}, {"data"}),
        ({"namespace": "shop"}, {"data", "heap"}),
        ({"within_days": 60}, {"data"}),
        ({"service": "nobody"}, set()),
    ],
)
def test_each_team_finds_its_own(made: Client, asked: dict[str, Any], found: set[str]) -> None:
    """By what people ask."""
    frame = made.capacity(**asked)
    assert set(frame["name"]) == found
    assert of(frame) == dtypes(tuple(CAPACITY))


def test_before_the_first_assessment_the_frame_says_so() -> None:
    """No rows, and a reason."""
    with serving(capable(looked=False).door.app) as url, Client(url) as asked:
        found = asked.capacity()
    assert found.empty
    assert found.attrs["problem"] == "the first assessment is under way"


def test_a_query_is_foretold(made: Client) -> None:
    """A point and an interval for each hour."""
    told = made.forecast(query="memory", horizon_days=7, coverage=0.5)
    assert list(told.columns) == ["point", "low", "high"]
    assert len(told) == 168
    assert str(told.index.dtype) == "datetime64[ns, UTC]"
    assert ((told["low"] <= told["point"]) & (told["point"] <= told["high"])).mean() > 0.9
    assert (told.attrs["of"], told.attrs["coverage"]) == ("memory", 0.5)
    assert sum(told.attrs["weights"].values()) == pytest.approx(1, abs=0.01)


def test_a_long_past_is_told_by_days(made: Client) -> None:
    """By the greatest of each, where that is asked for."""
    told = made.forecast(query="memory", history_days=120, horizon_days=30, how="max")
    assert (told.index[1] - told.index[0]) == pd.Timedelta("1d")


def test_a_resource_is_foretold_as_it_was_assessed(made: Client) -> None:
    """Between P10 and P90."""
    id = made.capacity(kind="disk").loc[0, "id"]
    told = made.forecast(resource=id)
    assert told.attrs["coverage"] == 0.8
    assert len(told) >= 90


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda made: made.forecast(), "query"),
        (lambda made: made.forecast(query="sum("), "query"),
        (lambda made: made.forecast(query="young"), "history"),
        (lambda made: made.forecast(query="never_there"), "history"),
        (lambda made: made.forecast(query="memory", how="median"), "hour"),
        (lambda made: made.forecast(query="memory", history_days=3), "history_days"),
        (lambda made: made.forecast(signal="error_rate"), "service"),
        (lambda made: made.capacity(kind="wishes"), "kind"),
        (lambda made: made.capacity(within_days=-1), "within_days"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    made: Client, call: Callable[[Client], object], field: str
) -> None:
    """By its field; too little history is none that a line is drawn from."""
    with pytest.raises(client.InputError) as refused:
        call(made)
    assert refused.value.field == field


def test_a_serinus_without_capacity_says_how_to_have_it() -> None:
    """A 404 that names the key."""
    from tests.api.doors import Door

    with (
        serving(Door().app) as url,
        Client(url) as asked,
        pytest.raises(client.NotFoundError, match=r"capacity\.enabled"),
    ):
        asked.capacity()


@pytest.mark.parametrize(
    "body", [b"{}", b'{"points": {}}', b'{"points": [1]}', b'{"points": [{"at": "x"}]}', b"[]"]
)
def test_what_is_no_forecast_is_none(body: bytes) -> None:
    """Never a line."""
    with FaultServer() as server:
        server.behave(body)
        with Client(server.url) as asked, pytest.raises(client.CouldNotAskError):
            asked.forecast(query="up")


def test_points_without_intervals_have_none() -> None:
    """Of an older serinus, perhaps."""
    points = [{"at": "2026-03-02T00:00:00Z", "value": 1.0, "intervals": []}]
    told = foretold({"points": points})
    assert told["point"].tolist() == [1.0]
    assert told["low"].isna().all()
    assert told.attrs["coverage"] is None


def test_every_column_and_word_is_documented_by_the_interface() -> None:
    """A key that is renamed breaks this test, and not a notebook."""
    for columns, answer in ((CAPACITY, "ResourceAnswer"), (POINTS, "PointAnswer")):
        for column in columns:
            schema = OPENAPI["components"]["schemas"][answer]
            for step in column.path:
                inside = schema["items"] if isinstance(step, int) else schema["properties"][step]
                schema = resolved(inside)
    assert set(ResourceAnswer.model_fields) >= {one.path[0] for one in CAPACITY}
    with FaultServer() as server:
        server.behave(b"{}")
        with Client(server.url) as asked:
            with pytest.raises(client.CouldNotAskError):
                asked.capacity(service="a", within_days=1)
            with pytest.raises(client.CouldNotAskError):
                asked.forecast(query="up", namespace="shop")
    for request in server.requests:
        path, _, query = request.path.partition("?")
        known = {one["name"] for one in OPENAPI["paths"][path]["get"]["parameters"]}
        assert {word.split("=")[0] for word in query.split("&")} <= known
