"""Both controllers' own code against a real serinus on a real Prometheus."""

from __future__ import annotations

import json
import signal
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.api.cli.process import Process, served
from tests.controllers.controllers import TOKEN, Argo, Ended, argo, call, flagger
from tests.controllers.history import BAD, HEALTHY, STABLE, UNKNOWN, shop
from tests.controllers.test_argo import HOLDING, SPEED, USES

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(200)]

ARMS = {"healthy": HEALTHY, "bad": BAD, "unknown": UNKNOWN}
POLICIES = "policies: {blue-green: {allow_control_exhausted: true}}"
CONTROL = f'{{pod=~"checkout-{STABLE}-.+"}}'


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with shop(tmp_path_factory.mktemp("prometheus")) as url:
        yield url


@contextmanager
def serinus(prometheus: str, data: Path, port: str = "0") -> Iterator[Process]:
    """`serinus serve` with a token, as it stands in a cluster."""
    data.mkdir(exist_ok=True)
    (data / "serinus.yaml").write_text(POLICIES, encoding="utf-8")
    config = ("--config", str(data / "serinus.yaml"))
    words = ("--prometheus", prometheus, "--data", str(data), "--port", port, *config)
    with served(*words, SERINUS_TOKEN=TOKEN) as process:
        assert process.url, process.told
        yield process


@pytest.fixture(scope="module")
def gate(prometheus: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serinus(prometheus, tmp_path_factory.mktemp("data")) as process:
        yield process.url


def asked(use: str, arm: str) -> dict[str, object]:
    """A run as the shipped Rollout starts it.

    Without a weight: these runs go on at once, and a new weight begins a new exposure.
    """
    rollout, place = USES[use]
    return {
        "name": f"{use}.{arm}",
        "rollout": rollout,
        "use": place,
        "canaryHash": ARMS[arm],
        "stableHash": STABLE,
        "args": {"weight": ""} if place.startswith("step:") else {},
    }


# -- Argo ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ends(gate: str) -> dict[str, Ended]:
    """Every template on every arm, side by side."""
    runs = [asked(use, arm) for use in USES for arm in ARMS]
    with argo(runs, url=gate, speed=SPEED) as under_way:
        return under_way.finish(endless={f"background.{arm}" for arm in ARMS}, after=5)


@pytest.mark.parametrize("use", USES)
def test_healthy_canary_ends_successful(ends: dict[str, Ended], use: str) -> None:
    """A good release goes out."""
    end = ends[f"{use}.healthy"]
    assert (end.phase, end.failed, end.error) == ("Successful", 0, 0)


@pytest.mark.parametrize("use", USES)
def test_bad_canary_ends_failed(ends: dict[str, Ended], use: str) -> None:
    """A bad release is aborted, at the first answer."""
    end = ends[f"{use}.bad"]
    assert (end.phase, end.count, end.error) == ("Failed", 1, 0)


@pytest.mark.parametrize("use", HOLDING)
def test_canary_without_data_ends_inconclusive(ends: dict[str, Ended], use: str) -> None:
    """No data never passes, and the rollout waits for a person."""
    end = ends[f"{use}.unknown"]
    assert (end.phase, end.inconclusive, end.error) == ("Inconclusive", HOLDING[use], 0)


def test_background_bears_a_canary_without_data(ends: dict[str, Ended]) -> None:
    """Warming up is no reason to stop a rollout."""
    end = ends["background.unknown"]
    assert (end.phase, end.failed, end.inconclusive) == ("Successful", 0, 0)


def switched(gate: str) -> Ended:
    """How the analysis after the switch of `basket` ends."""
    args = {"service": "basket", "rollout": "basket"}
    run = asked("post-promotion", "healthy") | {"args": args}
    with argo([run], url=gate, speed=SPEED) as under_way:
        [end] = under_way.finish().values()
    return end


def test_new_version_passes_after_the_switch(tmp_path: Path) -> None:
    """Blue/green: the old pods serve nobody any more, and the rollout is over all the same."""
    with shop(tmp_path / "quiet", quiet=True) as url, serinus(url, tmp_path / "data") as process:
        end = switched(process.url)
    assert (end.phase, end.count) == ("Successful", 1)


def test_new_version_waits_while_another_service_has_moved(gate: str) -> None:
    """Without a control an incident of the cluster looks like the release, and hides it, too."""
    assert switched(gate).phase == "Inconclusive"


def test_wrong_token_is_error(gate: str) -> None:
    """It never passes a release, and serinus tells nobody why it would."""
    run = asked("wait-until-pass", "healthy")
    with argo([run], url=gate, speed=SPEED, token="another-token") as under_way:
        [end] = under_way.finish().values()
    assert (end.phase, end.error) == ("Error", 21)


def test_unknown_policy_is_error(gate: str) -> None:
    """A typing error in an argument is no default."""
    run = asked("wait-until-pass", "healthy") | {"args": {"policy": "defualt"}}
    with argo([run], url=gate, speed=SPEED) as under_way:
        [end] = under_way.finish().values()
    assert (end.phase, end.error) == ("Error", 21)


def test_new_weight_holds_the_step_until_it_was_seen(prometheus: str, tmp_path: Path) -> None:
    """What was healthy at 20 % has to show it again at 50 %; until then the rollout stays."""
    ended: list[Ended] = []
    with serinus(prometheus, tmp_path) as process:
        for weight in ("20", "50"):
            run = asked("wait-until-pass", "healthy") | {"args": {"weight": weight}}
            with argo([run], url=process.url, speed=SPEED) as under_way:
                ended += under_way.finish().values()
    assert [end.phase for end in ended] == ["Successful", "Inconclusive"]


def attempt_of(line: dict[str, str]) -> str:
    return str(json.loads(line["value"])["attempt"])


def restarted(under_way: Argo, first: Process, prometheus: str, data: Path) -> None:
    """Kill serinus after the first answer, start it when Argo has missed it."""
    happenings = under_way.happenings()
    for _, taken in happenings:
        if len(taken) == 1:
            first.end(signal.SIGKILL)
        if taken[-1]["phase"] == "Error":
            break
    with serinus(prometheus, data, first.url.rpartition(":")[2]):
        deque(happenings, maxlen=0)


def test_kill_9_in_the_middle_of_a_run_aborts_nothing(prometheus: str, tmp_path: Path) -> None:
    """A bake goes on in the same attempt after serinus died and came back.

    To Argo an error breaks the row, so it takes three more passes after the first.
    """
    with (
        serinus(prometheus, tmp_path) as first,
        argo([asked("bake", "healthy")], url=first.url, speed=10) as under_way,
    ):
        restarted(under_way, first, prometheus, tmp_path)
    end = under_way.ended["bake.healthy"]
    assert (end.phase, end.successful) == ("Successful", 4)
    assert 1 <= end.error <= 20
    answers = [a for a in under_way.measured["bake.healthy"] if a["phase"] != "Error"]
    assert len({attempt_of(answer) for answer in answers}) == 1


# -- Flagger ------------------------------------------------------------------------------------


def sides(arm: str) -> dict[str, str]:
    """Metadata of hooks that name the two arms of this shop."""
    return {"canary": f'{{pod=~"checkout-{ARMS[arm]}-.+"}}', "control": CONTROL}


def test_flagger_promotes_a_healthy_canary(gate: str) -> None:
    """Through every weight to the end, with the pass of stage `final`."""
    with flagger(url=gate, metadata=sides("healthy")) as canary:
        ticks = canary.tick(20)
    assert (max(tick.weight for tick in ticks), ticks[-1].phase) == (50, "Succeeded")


def test_flagger_rolls_a_bad_canary_back(gate: str) -> None:
    """At the first tick of the analysis, with no weight given."""
    with flagger(url=gate, metadata=sides("bad")) as canary:
        ticks = canary.tick(20)
    assert (max(tick.weight for tick in ticks), ticks[-1].phase) == (0, "Failed")


def test_flagger_gets_past_weight_0(gate: str) -> None:
    """A canary has no data before its first traffic."""
    with flagger(url=gate, metadata=sides("unknown"), weight=10) as canary:
        ticks = canary.tick(5)
    assert (ticks[-1].phase, ticks[-1].weight) == ("Progressing", 10)


def test_flagger_hears_why(gate: str) -> None:
    """The event says which signal, how much, and its reason code."""
    hooks = [("rollback", "Progressing"), ("confirm-promotion", "Progressing")]
    told = call(*hooks, url=gate, metadata=sides("bad"))
    assert [yes for yes, _ in told] == [True, False]
    assert "error_rate_up" in told[1][1]


def test_flagger_without_the_token_gets_no_yes(gate: str) -> None:
    """Least of all from the hook whose yes rolls back."""
    hooks = [("rollback", "Progressing"), ("confirm-promotion", "Progressing")]
    told = call(*hooks, url=gate, metadata=sides("bad") | {"token": "another-token"})
    assert [yes for yes, _ in told] == [False, False]


def test_flagger_holds_while_serinus_is_killed(prometheus: str, tmp_path: Path) -> None:
    """kill -9 in the middle: nothing moves, nothing is counted, and then it goes on."""
    with (
        serinus(prometheus, tmp_path) as first,
        flagger(url=first.url, metadata=sides("healthy")) as canary,
    ):
        before = canary.tick(4)[-1]
        first.end(signal.SIGKILL)
        during = canary.tick(15)
        with serinus(prometheus, tmp_path, first.url.rpartition(":")[2]):
            after = canary.tick(20)
    assert before.weight > 0
    assert set(during) == {before}
    assert after[-1].phase == "Succeeded"
