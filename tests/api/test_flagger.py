"""Flagger's webhooks: only a status up to 202 is a yes, and on `rollback` a yes rolls back."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from httpx2 import Response
from pydantic import SecretStr

from api.dialects.flagger_hooks import Hook
from api.settings import Settings
from pipelines.testing import Fault
from tests.api.doors import CANARY, Door, failing_door, passing_door, waiting_door, without
from tests.pipelines.flows.scripted import T0, World

MANIFEST = Path(__file__).resolve().parents[2] / "deploy/flagger/canary.yaml"
TOKEN = "correct-horse-battery"
SIDES = {"canary": CANARY, "control": '{track="stable"}'}
JUDGING = [h for h in Hook if h not in {Hook.EVENT, Hook.POST_ROLLOUT}]
CONFIRMING = [Hook.CONFIRM_ROLLOUT, Hook.CONFIRM_TRAFFIC_INCREASE, Hook.CONFIRM_PROMOTION]
CHECKING = [Hook.ROLLOUT, Hook.PRE_ROLLOUT]


def call(
    door: Door,
    hook: str,
    *,
    phase: str = "Progressing",
    checksum: str = "one",
    path: str = "/flagger",
    **metadata: str,
) -> Response:
    """What Flagger posts."""
    payload = {
        "name": "checkout",
        "namespace": "shop",
        "phase": phase,
        "checksum": checksum,
        "metadata": {**SIDES, **metadata},
    }
    return door.client.post(f"{path}/{hook}", json=payload)


def hold(world: World) -> None:
    """Both sides from one pod each that serves nothing."""
    world.source.store.__init__()  # type: ignore[misc]
    for name, track in (("web-zzzzz-bcdfg", "stable"), ("web-bbbbb-fghjk", "canary")):
        world.pod(name, track, born=T0, until=T0 + 3600, per_s=0.0)


# -- the safe-answer table ---------------------------------------------------------------------


@pytest.mark.parametrize("hook", [*CONFIRMING, *CHECKING])
def test_a_pass_goes_on(hook: Hook) -> None:
    """The row *pass*, column `rollout` / `confirm-*`."""
    assert call(passing_door(), hook).status_code == 200


def test_a_pass_rolls_nothing_back() -> None:
    """The row *pass*, column `rollback`: here a yes would undo a healthy release."""
    assert call(passing_door(), "rollback").status_code == 403


@pytest.mark.parametrize("hook", [*CONFIRMING, *CHECKING])
def test_a_fail_is_a_no_with_its_reason(hook: Hook) -> None:
    """The row *fail*: what Flagger shows as its event says why."""
    told = call(failing_door(), hook)
    assert told.status_code == 403
    assert told.text.startswith("fail: 10 errors")
    assert "error_rate_up" in told.text


def test_a_fail_rolls_back() -> None:
    """The row *fail*, column `rollback`: exactly 200, for 203 and 204 would be a no."""
    assert call(failing_door(), "rollback").status_code == 200


@pytest.mark.parametrize("hook", CHECKING)
def test_undecided_counts_no_failure(hook: Hook) -> None:
    """The row *inconclusive*: failed checks are never forgiven, so warming up is none."""
    assert call(waiting_door(), hook).status_code == 200


@pytest.mark.parametrize("hook", CONFIRMING)
def test_undecided_holds(hook: Hook) -> None:
    """The row *inconclusive*, `confirm-*`: the weight stays, and nothing is counted."""
    assert call(waiting_door(), hook).status_code == 403


def test_undecided_rolls_nothing_back() -> None:
    """The row *inconclusive*, column `rollback`."""
    assert call(waiting_door(), "rollback").status_code == 403


@pytest.mark.parametrize("hook", JUDGING)
def test_a_fault_of_the_gate_is_503(hook: Hook) -> None:
    """The row *gate fault*: Flagger tries it again, and it is never a yes."""
    door = passing_door()
    door.world.stores = without(door.world.stores, "attempts")
    told = call(door, hook)
    assert told.status_code == 503
    assert int(told.headers["retry-after"]) > 0


@pytest.mark.parametrize("hook", JUDGING)
@pytest.mark.parametrize(
    "changes",
    [{"policy": "none-such"}, {"canary": "{"}, {"control": '{a=~"("}'}, {"polcy": "default"}],
    ids=["policy", "canary", "control", "word"],
)
def test_what_cannot_be_used_is_404(hook: Hook, changes: dict[str, str]) -> None:
    """The row *bad request*: no yes, and the words say what to mend."""
    told = call(passing_door(), hook, **changes)
    assert told.status_code == 404
    assert len(told.text) > 15


@pytest.mark.parametrize("hook", JUDGING)
def test_a_source_that_is_down_is_inconclusive(hook: Hook) -> None:
    """It holds and counts nothing; it says no yes where a yes acts."""
    door = passing_door()
    door.world.source.fault = Fault.DOWN
    told = call(door, hook, phase="Initialized")
    assert told.status_code == (200 if hook in CHECKING else 403)


# -- the first step ----------------------------------------------------------------------------


def test_the_first_step_is_taken_once() -> None:
    """Flagger asks before the first traffic: without it nothing would ever begin."""
    door = Door().at(100)
    hold(door.world)
    first = call(door, "confirm-traffic-increase")
    again = call(door.at(105), "confirm-traffic-increase")  # Flagger lost the answer
    later = call(door.at(110), "confirm-traffic-increase")  # its shortest interval later
    assert [first.status_code, again.status_code, later.status_code] == [200, 200, 403]
    assert "first_step" in first.text


def test_the_first_step_is_taken_once_per_revision() -> None:
    """The checksum names the revision; a restart of serinus in between forgets nothing."""
    door = Door().at(100)
    hold(door.world)
    call(door, "confirm-traffic-increase")
    door.world.restart()
    fresh = Door(world=door.world).at(300)
    assert call(fresh, "confirm-traffic-increase").status_code == 403
    assert call(fresh, "confirm-traffic-increase", checksum="two").status_code == 200


def test_only_the_weight_takes_a_first_step() -> None:
    """The promotion is never waved through."""
    door = Door().at(100)
    hold(door.world)
    assert call(door, "confirm-promotion").status_code == 403
    assert call(door, "confirm-rollout").status_code == 403


def test_a_failing_canary_takes_no_first_step() -> None:
    """It was seen."""
    assert call(failing_door(), "confirm-traffic-increase").status_code == 403


@pytest.mark.parametrize("phase", ["Initialized", "Waiting", "Succeeded", "Failed"])
def test_a_new_revision_may_be_scaled_up(phase: str) -> None:
    """There is no canary yet that could be judged; holding here would hold for ever."""
    door = Door().at(100)
    hold(door.world)
    assert call(door, "confirm-rollout", phase=phase).status_code == 200


def test_a_promotion_is_asked_at_stage_final() -> None:
    """A step may pass where a promotion may not."""
    door = passing_door()
    call(door, "confirm-promotion")
    call(door, "rollout")
    stages = {v["stage"] for v in door.get("/v1/verdicts").json()["verdicts"]}
    assert stages == {"final", "step"}


def test_one_checksum_is_one_attempt() -> None:
    """All hooks of a revision speak of the same canary."""
    door = passing_door()
    for hook in JUDGING:
        call(door, hook)
    call(door, "rollout", checksum="two")
    attempts = {v["attempt"] for v in door.get("/v1/verdicts").json()["verdicts"]}
    assert len(attempts) == 2


def test_undecided_may_be_a_failure_where_somebody_wants_it() -> None:
    """`on_inconclusive: fail` closes the `rollout` hook, and changes no other."""
    door = waiting_door()
    assert call(door, "rollout", on_inconclusive="fail").status_code == 403
    assert call(door, "pre-rollout", on_inconclusive="fail").status_code == 200
    assert call(door, "rollback", on_inconclusive="fail").status_code == 403


# -- who asks ----------------------------------------------------------------------------------


def closed(**settings: SecretStr) -> Door:
    """A failing canary behind a token: an answer of 200 would roll back."""
    return failing_door(Door(settings=Settings(token=SecretStr(TOKEN), **settings)))  # type: ignore[arg-type]


@pytest.mark.parametrize("hook", list(Hook))
def test_no_token_is_401(hook: Hook) -> None:
    """Anyone in the cluster can post here; a rollback is not anyone's to say."""
    told = call(closed(), hook)
    assert told.status_code == 401
    assert told.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("path", "token"),
    [("/flagger", "wrong-token"), ("/flagger/wrong-token", ""), ("/flagger", TOKEN + " ")],
)
def test_a_wrong_token_is_401(path: str, token: str) -> None:
    """In the metadata or in the path."""
    assert call(closed(), "rollback", path=path, token=token).status_code == 401


def test_the_token_travels_in_metadata_path_or_header() -> None:
    """Flagger sends no header of ours, but something before us may add one."""
    door = closed()
    header = {"Authorization": f"Bearer {TOKEN}"}
    plain = {"name": "checkout", "namespace": "shop", "checksum": "one", "metadata": SIDES}
    by_header = door.client.post("/flagger/rollback", json=plain, headers=header)
    assert call(door, "rollback", token=TOKEN).status_code == 200
    assert call(door, "rollback", path=f"/flagger/{TOKEN}").status_code == 200
    assert by_header.status_code == 200


def test_flaggers_own_token_opens_flaggers_door_alone() -> None:
    """Whoever may read Canary objects reads it there."""
    door = closed(flagger_token=SecretStr("flaggers-own-token"))
    header = {"Authorization": "Bearer flaggers-own-token"}
    assert call(door, "rollback", token="flaggers-own-token").status_code == 200
    assert call(door, "rollback", token=TOKEN).status_code == 401
    assert door.client.get("/v1/verdicts", headers=header).status_code == 401


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"null", b'{"name": "x"}', b'{"metadata": {"token": 5}}', b"\xff"]
)
def test_without_a_token_nothing_is_explained(body: bytes) -> None:
    """401 comes before what is wrong with the payload; with the token it is 404."""
    door = closed()
    path = f"/flagger/{TOKEN}/rollback"
    assert door.client.post("/flagger/rollback", content=body).status_code == 401
    assert door.client.post(path, content=body).status_code == 404


# -- what is sent ------------------------------------------------------------------------------


@pytest.mark.parametrize("hook", ["rolback", "Rollback", "rollback2", ""])
def test_an_unknown_hook_is_404(hook: str) -> None:
    """A typing error in the URL is no yes."""
    assert call(failing_door(), hook).status_code == 404


@pytest.mark.parametrize(
    "payload",
    [
        {"name": "../etc", "namespace": "shop"},
        {"name": 'x"}', "namespace": "shop"},
        {"name": "checkout\n", "namespace": "shop"},
        {"name": "", "namespace": "shop"},
        {"name": "checkout", "namespace": "a" * 300},
        {"name": "checkout", "namespace": "shop", "metadata": {"canary": 5}},
        {"name": "checkout", "namespace": "shop", "checksum": ["x"]},
        {"namespace": "shop"},
    ],
    ids=["path", "quote", "line", "empty", "long", "number", "list", "missing"],
)
def test_a_payload_that_no_flagger_sends_is_404(payload: dict[str, object]) -> None:
    """Payloads are untrusted: names become labels and patterns."""
    assert failing_door().client.post("/flagger/rollback", json=payload).status_code == 404


def test_canary_and_primary_are_told_apart_by_name() -> None:
    """`checkout` is the canary, `checkout-primary` the control; a dot is no wildcard."""
    door = passing_door()
    door.client.post("/flagger/rollout", json={"name": "a.b-c", "namespace": "shop"})
    matchers = {
        m.value for read in door.world.source.reads for q in read.queries for m in q.matchers
    }
    told = door.get("/v1/verdicts").json()["verdicts"][0]
    assert (told["service"], told["rollout"]) == ("a.b-c", "a.b-c")
    assert r"a\.b-c-[a-z0-9]+-[a-z0-9]{5}" in matchers


@pytest.mark.parametrize("hook", ["event", "post-rollout"])
@pytest.mark.parametrize("fault", [Fault.NONE, Fault.DOWN])
def test_what_flagger_only_tells_is_taken_at_once(hook: str, fault: Fault) -> None:
    """Flagger calls it inside its loop: no source and no store is asked."""
    door = passing_door()
    door.world.source.fault = fault
    door.world.stores = without(door.world.stores, "attempts")
    told = call(
        door, hook, eventMessage="Advance 10", eventType="Normal", timestamp="1790000000000"
    )
    assert told.status_code == 200
    assert door.world.source.reads == []


@pytest.mark.parametrize("timestamp", ["", "x", "-5", "9" * 40, "²", "1e9"])
def test_an_event_with_a_strange_time_is_taken(timestamp: str) -> None:
    """Whatever it says, Flagger's loop goes on."""
    told = call(passing_door(), "event", eventMessage="x", timestamp=timestamp)
    assert told.status_code == 200


def webhooks() -> list[dict[str, object]]:
    """The hooks of the shipped manifest."""
    canary = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    hooks: list[dict[str, object]] = canary["spec"]["analysis"]["webhooks"]
    return hooks


@pytest.mark.parametrize("hook", webhooks(), ids=lambda hook: str(hook["type"]))
def test_the_shipped_hooks_are_answered(hook: dict[str, object]) -> None:
    """Path, type and metadata of deploy/flagger/canary.yaml, posted as Flagger posts them."""
    door = passing_door(Door(settings=Settings(flagger_token=SecretStr("replace-me"))))
    path = "/" + str(hook["url"]).split("/", 3)[3]
    payload = {"name": "checkout", "namespace": "shop", "metadata": hook.get("metadata")}
    told = door.client.post(path, json=payload)
    assert path == f"/flagger/{hook['type']}"
    assert told.status_code in ({200} if hook["type"] in {"rollout", "event"} else {200, 403})
