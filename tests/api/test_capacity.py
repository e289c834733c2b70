"""`/v1/capacity` and `/v1/forecasts`: what people and machines read of what runs out."""

from __future__ import annotations

import pytest
from httpx2 import Response

from tests.api.capable import NOW, Capable, capable
from tests.api.doors import Door


@pytest.fixture(scope="module")
def world() -> Capable:
    """Assessed once."""
    return capable()


def names(answer: Response) -> list[str]:
    """Which resources are on a page."""
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["resources"]]


def test_the_most_urgent_comes_first(world: Capable) -> None:
    """What to read when there is time for one line."""
    answer = world.client.get("/v1/capacity").json()
    disk = answer["resources"][0]
    assert disk["name"] == "data"
    assert disk["exhaustion"]["p10"] <= disk["exhaustion"]["p50"] <= disk["exhaustion"]["p90"]
    assert disk["exhaustion"]["p50"].startswith("2026-09-2")
    assert disk["headroom"]["share"] == pytest.approx(0.95, abs=0.03)
    assert disk["sizing"]["action"] == "raise"
    assert (disk["team"], disk["source"], disk["limit"]) == ("stores", "by hand", 100)
    assert answer["summary"][0].startswith("1 of 2 resources may run out")
    assert answer["made_at"].startswith("2026-09-2")
    assert answer["horizon_s"] == 90 * 86_400


def test_no_line_is_told_where_none_is_known(world: Capable) -> None:
    """Four days of history, or no limit, make no date."""
    found = {one["name"]: one for one in world.client.get("/v1/capacity").json()["resources"]}
    assert "history" in found["new"]["problem"]
    assert found["new"]["exhaustion"] is None
    assert found["crm"]["exhaustion"] is None
    assert found["crm"]["headroom"] is None


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"service": "web"}, {"heap", "new"}),
        ({"team": "stores"}, {"data"}),
        ({"kind": "licences"}, {"crm"}),
        ({"namespace": "shop"}, {"data", "heap"}),
        ({"within_days": 60}, {"data"}),
        ({"service": "nobody"}, set()),
    ],
)
def test_each_team_finds_its_own(world: Capable, asked: dict[str, str], found: set[str]) -> None:
    """A filter narrows the page, and nothing else."""
    assert set(names(world.client.get("/v1/capacity", params=asked))) == found


def test_pages_follow_each_other(world: Capable) -> None:
    """Every resource once, however small the pages are."""
    found: list[str] = []
    cursor: str | None = None
    for _ in range(9):
        params = {"limit": 1} | ({} if cursor is None else {"cursor": cursor})
        page = world.client.get("/v1/capacity", params=params)
        found += names(page)
        cursor = page.json()["next"]
        if cursor is None:
            break
    assert sorted(found) == ["crm", "data", "heap", "new"]


def test_curves_come_where_they_are_asked_for(world: Capable) -> None:
    """A list of hundreds stays small; a page of one draws its chart."""
    bare = world.client.get("/v1/capacity", params={"kind": "disk"}).json()["resources"][0]
    full = world.client.get("/v1/capacity?kind=disk&curves=true").json()["resources"][0]
    assert (bare["usage"], bare["outlook"]) == (None, None)
    assert len(full["outlook"]["p50"]) == len(full["outlook"]["p10"]) >= 90
    assert full["usage"]["step_s"] == 86_400
    assert full["usage"]["values"][-1] == pytest.approx(95, rel=0.05)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"cursor": "abc"}, "cursor"),
        ({"kind": "wishes"}, "kind"),
        ({"limit": "0"}, "limit"),
        ({"within_days": "-1"}, "within_days"),
        ({"servce": "web"}, "servce"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_refused_by_name(
    world: Capable, asked: dict[str, str], field: str
) -> None:
    """A mistyped filter shows nothing in place of all."""
    answer = world.client.get("/v1/capacity", params=asked)
    assert answer.status_code in {400, 422}
    assert field in answer.text


def test_before_the_first_assessment_that_is_said() -> None:
    """No resources yet is not no resources."""
    answer = capable(looked=False).client.get("/v1/capacity").json()
    assert answer["resources"] == []
    assert answer["made_at"] is None
    assert answer["problem"] == "the first assessment is under way"


def test_a_source_that_is_away_is_said_beside_the_last_answer() -> None:
    """What was known yesterday is told, with why it is not newer."""
    world = capable()
    world.table.broken.add("*")
    world.capacity.refreshing.clock = lambda: NOW + 7 * 3600
    world.capacity.refreshing.look()
    answer = world.client.get("/v1/capacity").json()
    assert len(answer["resources"]) == 4
    assert "broken" in answer["problem"]


def test_without_capacity_the_doors_say_how_to_get_it() -> None:
    """A 404 that names the key."""
    for path in ("/v1/capacity", "/v1/forecasts?query=up"):
        answer = Door().client.get(path)
        assert answer.status_code == 404
        assert "capacity.enabled" in answer.json()["detail"]


# -- forecasts


def test_a_query_is_foretold_hour_by_hour(world: Capable) -> None:
    """A point for each hour, within its intervals, the wider around the narrower."""
    answer = world.client.get(
        "/v1/forecasts",
        params={"query": "memory", "horizon_days": 7, "coverage": [0.5, 0.9]},
    )
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["of"], told["step_s"], told["problem"]) == ("memory", 3600, None)
    assert len(told["points"]) == 7 * 24
    assert sum(told["weights"].values()) == pytest.approx(1, abs=0.01)
    for point in told["points"]:
        half, most = point["intervals"]
        assert (half["coverage"], most["coverage"]) == (0.5, 0.9)
        assert most["low"] <= half["low"] <= half["high"] <= most["high"]
    assert told["points"][0]["value"] == pytest.approx(51, rel=0.1)


def test_a_long_past_is_told_by_days(world: Capable) -> None:
    """A year ahead has not nine thousand hours."""
    told = world.client.get(
        "/v1/forecasts?query=memory&history_days=120&horizon_days=180&hour=max"
    ).json()
    assert told["step_s"] == 86_400
    assert len(told["points"]) == 180


def test_too_short_a_past_is_no_line(world: Capable) -> None:
    """An honest answer in place of a confident one."""
    told = world.client.get("/v1/forecasts", params={"query": "young"}).json()
    assert told["points"] == []
    assert told["problem"].startswith("not enough history: needs ")
    nothing = world.client.get("/v1/forecasts", params={"query": "never_there"}).json()
    assert (nothing["points"], nothing["problem"]) == ([], "nothing was measured")


def test_a_resource_is_foretold_as_it_was_assessed(world: Capable) -> None:
    """From what is kept: the same numbers as in the report, and no fit."""
    disk = world.client.get("/v1/capacity?kind=disk&curves=true").json()["resources"][0]
    asked = len(world.table.asked)
    told = world.client.get("/v1/forecasts", params={"resource": disk["id"]}).json()
    assert [point["value"] for point in told["points"]] == disk["outlook"]["p50"]
    assert told["points"][0]["intervals"][0]["coverage"] == 0.8
    assert 0 < told["mase"] < 1
    assert len(world.table.asked) == asked


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ({}, 400, "give one of resource"),
        ({"query": "a", "resource": "b"}, 400, "give one of resource"),
        ({"query": "sum("}, 400, "brackets do not match"),
        ({"query": "sum(a_total)"}, 400, "read by rate()"),
        ({"query": "a", "coverage": "1.5"}, 422, "coverage"),
        ({"query": "a", "horizon_days": "300"}, 400, "over 90 days of history"),
        ({"query": "a", "history_days": "3"}, 422, "history_days"),
        ({"signal": "error_rate"}, 400, "give both"),
        ({"resource": "nothing"}, 404, "/v1/capacity lists them"),
    ],
    ids=str,
)
def test_a_forecast_of_nothing_is_refused(
    world: Capable, asked: dict[str, str], status: int, told: str
) -> None:
    """Each names what to mend."""
    answer = world.client.get("/v1/forecasts", params=asked)
    assert answer.status_code in {status, 422}
    assert told in str(answer.json())


def test_several_series_are_refused_with_their_labels() -> None:
    """Which of them was meant is not guessed."""
    world = capable()
    row = world.table.told["memory"][()]
    world.table.told["both"] = {(("pod", "a"),): row, (("pod", "b"),): row}
    answer = world.client.get("/v1/forecasts", params={"query": "both"})
    assert answer.status_code == 422
    assert "2 series: aggregate them" in answer.json()["detail"]
    assert "'pod': 'a'" in answer.json()["detail"]


# -- metrics


def test_what_runs_out_is_told_to_prometheus(world: Capable) -> None:
    """An alert on a date needs no query of ours."""
    world.capacity.start(world.door.app.state.context.telemetry.registry)
    world.capacity.close()
    lines = world.client.get("/metrics").text.splitlines()
    disk = 'cluster="",kind="disk",namespace="shop",'
    told = [line for line in lines if line.startswith("serinus_capacity_exhaustion_seconds{")]
    assert len(told) == 2 * 3
    (middle,) = (one for one in told if disk in one and 'quantile="0.5"' in one)
    assert 0 < float(middle.split()[-1]) < 20 * 86_400
    heap = [one for one in told if 'kind="memory"' in one]
    assert all(one.endswith("+Inf") for one in heap)
    shares = [line for line in lines if line.startswith("serinus_capacity_headroom_ratio{")]
    assert len(shares) == 3
    assert any(line.startswith("serinus_capacity_resources 4") for line in lines)
