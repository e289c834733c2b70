"""`/v1/verdicts`: what a controller asks, and what it is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import msgspec
import pytest

from api.bodies.answer import EXAMPLE_VERDICT, VerdictAnswer, VerdictsAnswer
from detector.gate.verdict import Outcome
from pipelines.testing import Fault
from tests.api.doors import Door, failing_door, passing_door, problem_of, waiting_door, without
from tests.pipelines.flows.scripted import T0


def moment(seconds: float) -> str:
    """ISO 8601 of a moment after T0."""
    return datetime.fromtimestamp(T0 + seconds, UTC).isoformat()


@pytest.mark.parametrize(
    ("door", "answer"),
    [(passing_door, "pass"), (failing_door, "fail"), (waiting_door, "inconclusive")],
    ids=["pass", "fail", "inconclusive"],
)
def test_each_verdict_is_200_and_says_its_answer(door: type[Door], answer: str) -> None:
    """The column *Argo web* of the safe-answer table: only `answer` tells them apart."""
    told = door().post()
    assert told.status_code == 200
    assert told.json()["answer"] == answer
    assert told.json()["outcome"] == answer


@pytest.mark.parametrize(
    "store", ["attempts", "answers", "overrides", "modes", "policies", "revisions"]
)
def test_a_store_that_is_down_is_503_and_says_when_to_ask_again(store: str) -> None:
    """A fault of the gate itself is an error to Argo, which tries again; never a verdict."""
    door = passing_door()
    door.world.stores = without(door.world.stores, store)
    told = door.post()
    assert problem_of(told) == (503, None)
    assert int(told.headers["retry-after"]) > 0
    assert "answer" not in told.json()


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.SLOW, Fault.REJECTED])
def test_a_source_that_is_down_is_a_verdict(fault: Fault) -> None:
    """Argo aborts after a few 5xx: a Prometheus that restarts must not abort a release."""
    door = passing_door()
    door.world.source.fault = fault
    told = door.post()
    assert told.status_code == 200
    assert told.json()["answer"] == "inconclusive"
    assert told.json()["reason"]["code"] in {"source_unavailable", "query_rejected"}


def test_an_unknown_policy_is_404_and_names_those_there_are() -> None:
    """A typing error in a template is told, and judges nothing by a default."""
    told = passing_door().post(policy="defualt")
    assert problem_of(told)[0] == 404
    assert "default" in told.json()["detail"]


@pytest.mark.parametrize("view", ["full", "brief"])
def test_every_documented_key_is_always_sent(view: str) -> None:
    """A key that is missing is an Error or an Inconclusive in Argo's expressions."""
    documented = set(VerdictAnswer.model_fields) - ({"signals"} if view == "brief" else set())
    for door in (passing_door(), failing_door(), waiting_door(), Door()):
        told = door.client.post(
            f"/v1/verdicts?view={view}", json={"service": "checkout", "canary": "{a='b'}"}
        )
        assert set(told.json()) == documented
        VerdictAnswer.model_validate(told.json())


def test_what_json_cannot_say_is_null() -> None:
    """NaN or Infinity in an answer makes Argo take the whole body for text."""
    told = passing_door().post()
    signal = told.json()["signals"][0]
    assert (signal["control"], signal["evidence"]) == (None, None)
    msgspec.json.decode(told.content)


def test_numbers_of_six_digits_are_sent() -> None:
    """Noise of the seventeenth digit helps nobody and changes with the machine."""
    assert passing_door().post().json()["signals"][0]["needed"] == 333333000.0


def test_a_verdict_is_never_cached() -> None:
    """A cache between controller and gate would repeat an old pass."""
    assert passing_door().post().headers["cache-control"] == "no-store"


def test_the_documented_example_is_a_verdict() -> None:
    """People copy it."""
    VerdictAnswer.model_validate(EXAMPLE_VERDICT)


def test_an_unknown_field_is_refused_by_name() -> None:
    """`cannary` must not be ignored and the default taken."""
    told = passing_door().post(cannary="{}")
    assert problem_of(told) == (422, "cannary")
    assert "cannary" in told.json()["detail"]


# -- times -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [61, 3600, 10**9])
def test_a_question_about_the_future_is_refused(ahead: int) -> None:
    """Nobody knows it."""
    assert problem_of(passing_door().post(as_of=moment(400 + ahead))) == (422, "as_of")


def test_a_clock_that_is_a_little_ahead_is_believed() -> None:
    """Two machines differ by some seconds."""
    assert passing_door().post(as_of=moment(459)).json()["answer"] == "pass"


def test_a_question_about_the_past_is_answered_as_it_was_due_then() -> None:
    """`as_of` is how a rollout is looked at afterwards; it writes nothing."""
    door = failing_door()
    late = door.post().json()
    early = door.post(as_of=moment(90)).json()
    listed = door.get("/v1/verdicts").json()["verdicts"]
    assert (late["answer"], early["answer"]) == ("fail", "pass")
    assert early["as_of"] == "2026-09-21T14:14:50Z"
    assert [v["id"] for v in listed] == [late["id"]]


def test_a_clock_that_goes_back_takes_no_fail_away() -> None:
    """A machine whose clock was set back asks about a moment that it has asked about before."""
    door = failing_door()
    assert door.post().json()["answer"] == "fail"
    answers = [door.at(second).post().json()["answer"] for second in (399, 380, 401)]
    assert answers == ["fail", "fail", "fail"]


@pytest.mark.parametrize("deadline", [-1, 0])
def test_a_deadline_that_is_not_after_the_start_is_refused(deadline: int) -> None:
    """It can only be a mistake: the field is named."""
    told = passing_door().post(started_at=moment(0), deadline=moment(deadline))
    assert problem_of(told) == (422, "deadline")


def test_a_deadline_before_the_canarys_first_sample_is_refused() -> None:
    """Without a start the gate's own counts."""
    assert problem_of(passing_door().post(deadline=moment(-600))) == (422, "deadline")


def test_a_deadline_that_is_past_makes_undecided_final() -> None:
    """A controller that asks too late hears so, and is not kept waiting."""
    door = waiting_door()
    told = door.post(deadline=moment(60)).json()
    assert (told["outcome"], told["final"]) == ("inconclusive", True)
    assert told["reason"]["code"] == "deadline_reached"


def test_a_start_in_the_future_is_refused() -> None:
    """Nothing can be judged from there."""
    assert problem_of(passing_door().post(started_at=moment(600))) == (422, "started_at")


@pytest.mark.parametrize("start", ["1970-01-01T00:00:01Z", "2020-01-01T00:00:00Z"])
def test_a_start_in_another_age_is_refused_at_once(start: str) -> None:
    """Half a century of bins would take all memory and a thread for ever."""
    for more in ({}, {"as_of": moment(300)}):
        told = passing_door().post(started_at=start, **more)
        assert problem_of(told) == (422, "started_at")
        assert "days back" in told.json()["detail"]


def test_a_canary_that_was_last_asked_about_long_ago_begins_anew() -> None:
    """The same selector names next month's canary too; a month is not read to find that out."""
    door = passing_door()
    first = door.post().json()
    later = door.at(400 + 8 * 86_400).post().json()
    assert later["attempt"] != first["attempt"]
    assert later["answer"] == "inconclusive"


def test_a_fail_is_remembered_however_long_nobody_asks() -> None:
    """Only another canary ends it."""
    door = failing_door()
    first = door.post().json()
    later = door.at(400 + 8 * 86_400).post().json()
    assert (later["attempt"], later["answer"]) == (first["attempt"], "fail")


# -- selectors ---------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["canary", "control"])
@pytest.mark.parametrize(
    "selector",
    [
        '{pod=~"(a{1000}){1000}"}',
        '{pod=~"' + "(" * 1000 + '"}',
        '{pod=~"(?=x)"}',
        '{pod=~"["}',
        '{pod="a"',
        "{pod}",
        '{pod="a"} or up',
        'up{pod="a"}',
        '{pod="a"}[5m]',
        "{" + ",".join(f'a{i}="b"' for i in range(65)) + "}",
        '{pod=~"' + "a" * 5000 + '"}',
    ],
    ids=[
        "bomb",
        "nest",
        "lookahead",
        "class",
        "open",
        "bare",
        "or",
        "metric",
        "range",
        "many",
        "long",
    ],
)
def test_a_selector_that_cannot_be_used_is_refused_at_once(side: str, selector: str) -> None:
    """A regular expression that explodes is not compiled, here or in Prometheus."""
    assert problem_of(passing_door().post(**{side: selector})) == (400, side)


@pytest.mark.parametrize("value", ['a"} or up{b="', "x\ny", "a\\", '"', "ünï", "{{}}"])
def test_a_value_stays_in_its_quotes(value: str) -> None:
    """A service name cannot become PromQL: what the source is asked has it as one value."""
    door = passing_door()
    told = door.post(service=value)
    asked = {m.value for read in door.world.source.reads for q in read.queries for m in q.matchers}
    assert told.status_code == 200
    assert told.json()["reason"]["code"] == "no_canary_data"
    assert value in asked


def test_a_selector_that_matches_nothing_names_what_there_is() -> None:
    """The nearest names are in the answer, so that the next try is right."""
    told = passing_door().post(canary='{track="cannary"}').json()
    assert (told["answer"], told["reason"]["code"]) == ("inconclusive", "no_canary_data")
    assert "web-bbbbb-fghjk" in told["reason"]["text"]


@pytest.mark.parametrize("selector", ["{}", '{track=~".*"}', '{pod!=""}'])
def test_a_canary_that_is_everything_is_answered(selector: str) -> None:
    """Not a server error; whether it is judged is the engine's to say."""
    told = passing_door().post(canary=selector)
    assert told.status_code == 200


def test_a_verdict_has_a_page_and_an_address() -> None:
    """Where to look is in every answer."""
    door = passing_door()
    told = door.post().json()
    again = door.get(told["links"]["self"])
    assert again.status_code == 200
    assert again.json() == told
    assert told["links"]["ui"] == f"/rollouts/{told['attempt']}"


# -- looking up --------------------------------------------------------------------------------


def test_a_verdict_that_does_not_exist_is_404() -> None:
    """Also where the id is no id."""
    door = passing_door()
    for id_ in ("nothing", "a" * 200, "%00", "a%20b", "..%2f..%2fetc"):
        assert problem_of(door.get(f"/v1/verdicts/{id_}"))[0] == 404


def many(door: Door) -> list[str]:
    """Ids of ten verdicts, newest first."""
    return [door.at(400 + 61 * i).post().json()["id"] for i in range(10)][::-1]


@pytest.mark.parametrize("limit", [1, 3, 10, 500])
def test_pages_hold_each_verdict_once(limit: int) -> None:
    """Nothing is skipped or repeated between two pages."""
    door = passing_door()
    ids, found, cursor = many(door), [], ""
    for _ in range(20):
        page = door.get("/v1/verdicts", limit=limit, cursor=cursor).json()
        VerdictsAnswer.model_validate(page)
        found += [v["id"] for v in page["verdicts"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == ids


@pytest.mark.parametrize("limit", [0, -1, 501, "x"])
def test_a_page_has_its_bounds(limit: int | str) -> None:
    """Nobody asks for a million verdicts at once."""
    assert problem_of(passing_door().get("/v1/verdicts", limit=limit)) == (422, "limit")


def test_verdicts_are_filtered() -> None:
    """By service, outcome and time."""
    door = passing_door()
    ids = many(door)
    ids_between = door.get("/v1/verdicts", **{"from": moment(461), "to": moment(583)}).json()
    assert door.get("/v1/verdicts", service="other").json()["verdicts"] == []
    assert door.get("/v1/verdicts", outcome=Outcome.FAIL.value).json()["verdicts"] == []
    assert (
        len(door.get("/v1/verdicts", service="checkout", outcome="pass").json()["verdicts"]) == 10
    )
    assert [v["id"] for v in ids_between["verdicts"]] == [ids[7], ids[8]]


@pytest.mark.parametrize(("name", "value"), [("outcome", "good"), ("from", "x"), ("to", "9e99")])
def test_a_filter_that_means_nothing_is_refused(name: str, value: str) -> None:
    """Rather than ignored, which would list what was not asked for."""
    told = passing_door().get("/v1/verdicts", **{name: value})
    assert problem_of(told) == (422, name)


def test_evidence_replays_elsewhere() -> None:
    """The file holds all that the answer was made from."""
    door = failing_door()
    told = door.post().json()
    file = door.get(f"/v1/verdicts/{told['id']}/evidence")
    again = Door().world.gate.records.replay_file(file.content)
    assert file.headers["content-type"] == "application/octet-stream"
    assert (again.id, again.outcome.value) == (told["id"], "fail")


def test_outcome_words_are_those_of_the_document() -> None:
    """The schema names each outcome."""
    words = get_args(VerdictAnswer.model_fields["outcome"].annotation)
    assert set(words) == {outcome.value for outcome in Outcome}
