"""An incident at Alertmanager: it fires while it lasts, is routed by its labels, and ends."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from detector.alerts.brief import BriefState, Gravity
from detector.errors import DeliveryError
from detector.gate.telling import Errand, Notice, NoticeKind
from pipelines.notify.alertmanager import Alertmanager, alerts_of, labels_of
from pipelines.notify.settings import NotifierSettings
from tests.pipelines.notify.briefs import AT, MINUTE, told
from tests.pipelines.notify.receiver import notice, receiving
from tests.servers import RunningPrometheus, running_alertmanager

WHERE = "https://serinus.example.org"
THREAD = "inc_0123456789abcdef"
LABELS = (("service", "checkout"), ("namespace", "shop"), ("severity", "high"), ("kind", "metric"))
CONFIG = """
route: {receiver: none, group_by: [service], group_wait: 10ms, group_interval: 1s}
receivers: [{name: none}]
"""


def settings(where: str, **changes: object) -> NotifierSettings:
    """A notifier to it."""
    base: dict[str, object] = {
        "name": "ops",
        "kind": "alertmanager",
        "url": where,
        "public_url": WHERE,
        "allow_private": True,
    }
    return NotifierSettings(**{**base, **changes})  # type: ignore[arg-type]


def lived(nth: int = 0, why: str = "opened", **changes: Any) -> Notice:  # noqa: ANN401 - as the fields are
    """As `told`, of an incident that began two minutes ago."""
    now = round(time.time() * 1000)
    over = {"ended": now - MINUTE} if why == "resolved" else {}
    times = {"began": now - 2 * MINUTE, "told_at": now, "labels": LABELS}
    return told(nth, why, **{**times, **over, **changes})


def alert_of(of: Notice, before: dict[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
    """The alert that it is now, as JSON."""
    return json.loads(json.dumps(alerts_of(of, WHERE, before or {})))[-1]


# -- a real one


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPrometheus]:
    """One for the module; each test has a thread of its own."""
    with running_alertmanager(tmp_path_factory.mktemp("alertmanager"), CONFIG) as one:
        yield one


def got(manager: RunningPrometheus, path: str) -> Any:  # noqa: ANN401 - JSON
    """What its API says."""
    with urllib.request.urlopen(f"{manager.url}/api/v2/{path}", timeout=10) as answer:
        return json.load(answer)


def firing(manager: RunningPrometheus, thread: str) -> list[dict[str, Any]]:
    """Alerts of an incident that fire; its API leaves out those that ended."""
    return [one for one in got(manager, "alerts") if one["labels"].get("incident") == thread]


@pytest.mark.real
def test_an_incident_fires_groups_and_resolves_there(manager: RunningPrometheus) -> None:
    """Read back by Alertmanager's own API, from first to last."""
    notifier = Alertmanager(settings(manager.url))
    notifier.send(lived(thread="inc_1"))
    (alert,) = firing(manager, "inc_1")
    assert alert["labels"] == {
        "alertname": "SerinusIncident", "incident": "inc_1", "kind": "metric",
        "namespace": "shop", "service": "checkout", "severity": "critical", "tenant": "default",
    }  # fmt: skip
    assert alert["generatorURL"] == f"{WHERE}/incidents/inc_1"
    assert alert["annotations"]["summary"] == "Incident: checkout: errors up"
    assert alert["annotations"]["cause"].startswith("checkout v2.3.1 (deployment)")
    ends = datetime.fromisoformat(alert["endsAt"]).timestamp()
    assert ends - time.time() == pytest.approx(7 * 86_400, abs=60)
    groups = [
        one for one in got(manager, "alerts/groups") if one["labels"] == {"service": "checkout"}
    ]
    assert "inc_1" in {one["labels"]["incident"] for group in groups for one in group["alerts"]}
    notifier.send(lived(1, "resolved", thread="inc_1"))
    assert firing(manager, "inc_1") == []


@pytest.mark.real
def test_one_that_begins_again_fires_again(manager: RunningPrometheus) -> None:
    """With the same labels, and since it began first."""
    notifier = Alertmanager(settings(manager.url))
    for one in (lived(), lived(1, "resolved"), lived(2, "reopened")):
        notifier.send(one)
    assert len(firing(manager, THREAD)) == 1
    notifier.send(lived(3, "resolved"))
    assert firing(manager, THREAD) == []


@pytest.mark.real
def test_one_that_becomes_graver_is_still_one_alert(manager: RunningPrometheus) -> None:
    """Labels are what it is known by: without its end the milder one would fire for a week."""
    notifier = Alertmanager(settings(manager.url))
    first = lived(thread="inc_3", severity=Gravity.MEDIUM)
    receipt = notifier.follow(Errand(notice=first, to="ops", tries=1))
    graver = lived(1, "grew", thread="inc_3")
    again = notifier.follow(Errand(notice=graver, to="ops", tries=1, receipt=receipt))
    (alert,) = firing(manager, "inc_3")
    assert alert["labels"]["severity"] == "critical"
    over = lived(2, "resolved", thread="inc_3")
    notifier.follow(Errand(notice=over, to="ops", tries=1, receipt=again))
    assert firing(manager, "inc_3") == []


@pytest.mark.real
def test_what_was_told_twice_is_one_alert(manager: RunningPrometheus) -> None:
    """A crash between the acknowledgement and its record is not seen there."""
    notifier = Alertmanager(settings(manager.url))
    for _ in range(2):
        notifier.send(lived(thread="inc_4"))
    assert len(firing(manager, "inc_4")) == 1


@pytest.mark.real
def test_a_failed_rollout_fires_for_some_hours(manager: RunningPrometheus) -> None:
    """Nobody tells that it is over."""
    now = time.time()
    notifier = Alertmanager(settings(manager.url))
    for kind in (NoticeKind.FAIL, NoticeKind.PAUSE, NoticeKind.TEST):
        notifier.send(notice(kind=kind, at=now))
    found = {one["labels"]["alertname"]: one for one in got(manager, "alerts")}
    failed = found["SerinusRolloutFailed"]
    assert datetime.fromisoformat(failed["endsAt"]).timestamp() == pytest.approx(
        now + 4 * 3600, abs=2
    )
    assert failed["generatorURL"] == f"{WHERE}/rollouts/a1"
    assert (failed["labels"]["service"], failed["labels"]["severity"]) == ("checkout", "warning")
    assert {"SerinusRolloutWaits", "SerinusTest"} <= found.keys()


@pytest.mark.real
def test_what_it_refuses_is_given_up_with_its_words(manager: RunningPrometheus) -> None:
    """An address that is none of its API, as when a proxy's prefix was forgotten."""
    with pytest.raises(DeliveryError, match="notifier 'ops' answered 404") as told_:
        Alertmanager(settings(f"{manager.url}/elsewhere")).send(lived())
    assert told_.value.retryable is False


@pytest.mark.real
def test_odd_names_are_taken_by_a_real_one(manager: RunningPrometheus) -> None:
    """Line breaks, other alphabets, and labels whose names it would refuse."""
    odd = (("service", "käse\n§"), ("9bad-name", "x"), ("empty", ""), ("namespace", "a" * 5000))
    Alertmanager(settings(manager.url)).send(lived(thread="inc_5", labels=odd, title="\0\u2028x"))
    (alert,) = firing(manager, "inc_5")
    assert alert["labels"]["service"] == "käse §"
    assert len(alert["labels"]["namespace"]) == 200
    assert not {"9bad-name", "empty"} & alert["labels"].keys()


# -- what is said to it


def test_an_end_is_in_the_past_of_a_clock_that_is_behind() -> None:
    """An end that is to come there yet would not count: the week that was promised would."""
    just_now = told(1, "merged", state=BriefState.MERGED, ended=AT + 2 * MINUTE)
    alert = alert_of(just_now)
    assert (alert["startsAt"], alert["endsAt"]) == ("2026-11-23T14:00:00Z", "2026-11-23T14:01:00Z")


def test_an_end_is_never_before_the_start() -> None:
    """It refuses such an alert, and it would fire on."""
    short = told(1, "resolved", ended=AT + 1000, told_at=AT + 1000)
    alert = alert_of(short)
    assert alert["startsAt"] == alert["endsAt"]


def test_a_receipt_of_another_kind_is_no_label() -> None:
    """Such as one that a chat gave, after the kind of a receiver was changed."""
    with receiving() as one:
        notifier = Alertmanager(settings(one.url.removesuffix("/hook")))
        notifier.follow(Errand(notice=told(), to="ops", tries=1, receipt="C01/17.5"))
        (body,) = [json.loads(got.body) for got in one.got]
    assert len(body) == 1


@pytest.mark.parametrize(
    ("status", "retryable"), [(400, False), (429, True), (500, True), (503, True)]
)
def test_what_is_no_acknowledgement(status: int, retryable: bool) -> None:
    """One that starts again is asked again; what it calls bad stays so."""
    with receiving() as one:
        one.answers(status)
        one.words = b'"start time must be before end time"'
        notifier = Alertmanager(settings(one.url.removesuffix("/hook")))
        with pytest.raises(DeliveryError, match=f"answered {status}: ") as told_:
            notifier.follow(Errand(notice=told(), to="ops", tries=1))
    assert told_.value.retryable is retryable


def test_a_report_of_the_week_is_no_alert() -> None:
    """It has nothing that fires."""
    assert alerts_of(notice(kind=NoticeKind.WEEKLY, verdict=None), WHERE, {}) == []


@profile(max_examples=60)
@given(
    st.dictionaries(st.text(max_size=20), st.text(max_size=300), max_size=8),
    st.text(max_size=300),
)
def test_labels_are_valid_and_the_same_whatever_happens(names: dict[str, str], title: str) -> None:
    """An alert of an incident is found again by them."""
    first = told(title=title, labels=tuple(names.items()))
    labels = labels_of(first)
    assert labels["incident"] == THREAD
    assert all(value and value.isprintable() for value in labels.values())
    assert all(name.isascii() and name.isidentifier() for name in labels)
    assert first.incident is not None
    later = replace(first, incident=replace(first.incident, why="grew", count=9, nth=4))
    assert labels_of(later) == labels
