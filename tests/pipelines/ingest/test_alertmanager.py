"""Alerts of others as symptoms: those that a real Alertmanager tells, and what is none."""

from __future__ import annotations

import json
import queue
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.errors import InputError
from detector.incidents.correlator import Correlator
from detector.incidents.incident import EntryKind
from detector.incidents.symptom import Symptom
from detector.stream.anomaly import AnomalyKind, Severity
from pipelines.ingest.alertmanager import ALERTS, BODY, AlertsRead, read_alerts
from pipelines.notify.alertmanager import Alertmanager
from pipelines.notify.settings import NotifierSettings
from tests.pipelines.ingest.doorways import GOLDEN
from tests.pipelines.notify.briefs import told as incident_told
from tests.pipelines.notify.vendor import Answer, Request, serving
from tests.servers import RunningPrometheus, running_alertmanager

# 2026-11-23 14:00 UTC.
NOW = 1_795_442_400_000
MINUTE = 60_000
ZERO = "0001-01-01T00:00:00Z"
CONFIG = """
route:
  receiver: serinus
  group_by: [alertname]
  group_wait: 10ms
  group_interval: 1s
receivers:
  - name: serinus
    webhook_configs: [{url: "%s"}]
"""


def alert(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """One that fires at checkout since five minutes."""
    base = {
        "status": "firing",
        "labels": {
            "alertname": "HighErrorRate", "service": "checkout", "namespace": "shop",
            "cluster": "eu-1", "severity": "critical", "version": "v2",
        },
        "annotations": {"summary": "12 % of requests fail"},
        "startsAt": "2026-11-23T13:55:00.123456789Z",
        "endsAt": ZERO,
        "generatorURL": "http://prometheus/graph",
        "fingerprint": "0123456789abcdef",
    }  # fmt: skip
    return {**base, **changes}


def told(*alerts: dict[str, Any], **changes: Any) -> bytes:  # noqa: ANN401 - JSON
    """The body of a notification."""
    body = {
        "version": "4",
        "groupKey": '{}:{alertname="HighErrorRate"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "serinus",
        "groupLabels": {"alertname": "HighErrorRate"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager",
        "alerts": list(alerts),
    }
    return json.dumps({**body, **changes}).encode()


def one(**changes: Any) -> Symptom:  # noqa: ANN401 - JSON
    """The only symptom of a notification."""
    (symptom,) = read_alerts(told(alert(**changes)), now=NOW).symptoms
    return symptom


def labelled(**labels: str) -> Symptom:
    """Of an alert with these labels alone."""
    return one(labels={"alertname": "HighErrorRate", **labels})


def test_an_alert_is_a_symptom_of_its_service() -> None:
    """It counts in an incident as what we saw ourselves does."""
    start = NOW - 5 * MINUTE + 123
    symptom = one()
    assert symptom.id == f"alert_0123456789abcdef_{start}"
    assert (symptom.service, symptom.namespace, symptom.cluster) == ("checkout", "shop", "eu-1")
    assert (symptom.metric, symptom.kind) == ("HighErrorRate", AnomalyKind.METRIC)
    assert (symptom.start, symptom.end, symptom.severity) == (start, None, Severity.HIGH)
    assert (symptom.versions, symptom.share) == (frozenset({"v2"}), 1.0)
    assert symptom.text == "HighErrorRate: 12 % of requests fail"


def test_one_that_is_over_has_an_end() -> None:
    """And the same id, so that it ends what began."""
    over = one(status="resolved", endsAt="2026-11-23T13:58:00Z")
    assert over.end == NOW - 2 * MINUTE
    assert over.id == one().id


def test_one_that_fires_again_is_another() -> None:
    """Its fingerprint is that of its labels, and so the same for ever."""
    assert one(startsAt="2026-11-23T13:59:00Z").id != one().id


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"service": "checkout", "job": "scrape"}, "checkout"),
        ({"app": "cart", "pod": "cart-6d9f7c5b4-x2z9q"}, "cart"),
        ({"job": "web"}, "web"),
        ({"pod": "mail-6d9f7c5b4-x2z9q"}, "mail"),
        ({"instance": "10.0.0.7:9100"}, ""),
        ({}, ""),
    ],
)
def test_whose_it_is_is_told_as_of_a_series(labels: dict[str, str], service: str) -> None:
    """By the same labels, in the same order."""
    assert labelled(**labels).service == service


@pytest.mark.parametrize(
    ("labels", "severity"),
    [
        ({"severity": "critical"}, Severity.HIGH),
        ({"severity": "Page"}, Severity.HIGH),
        ({"severity": "warning"}, Severity.MEDIUM),
        ({"severity": "info"}, Severity.LOW),
        ({"priority": "P1"}, Severity.HIGH),
        ({"severity": "spicy"}, Severity.MEDIUM),
        ({}, Severity.MEDIUM),
    ],
)
def test_how_bad_it_is_is_told_by_a_label(labels: dict[str, str], severity: Severity) -> None:
    """A word that nobody knows is neither a page nor nothing."""
    assert labelled(**labels).severity is severity


def test_what_always_fires_is_no_symptom() -> None:
    """Watchdog would be an incident without end."""
    dog = alert(labels={"alertname": "Watchdog", "severity": "none"})
    read = read_alerts(told(dog, alert(), truncatedAlerts=7), now=NOW)
    assert (len(read.symptoms), read.skipped, read.truncated) == (1, 1, 7)


def test_what_we_told_ourselves_is_no_symptom() -> None:
    """An incident that is an alert that is a symptom would never end."""
    labels = {"alertname": "SerinusIncident", "tenant": "default", "service": "checkout"}
    assert read_alerts(told(alert(labels=labels)), now=NOW).skipped == 1


def test_times_to_come_are_now() -> None:
    """A clock that is ahead makes no anomaly of tomorrow."""
    ahead = one(status="resolved", startsAt="2027-01-01T00:00:00Z", endsAt="2027-01-02T00:00:00Z")
    assert (ahead.start, ahead.end) == (NOW, NOW)


def test_an_end_before_the_start_is_the_start() -> None:
    """Nothing lasts less than no time."""
    odd = one(status="resolved", endsAt="2026-11-23T13:00:00Z")
    assert odd.end == odd.start


def test_secrets_in_annotations_are_not_kept() -> None:
    """They are shown to whoever sees the incident."""
    shown = one(annotations={"summary": "login as ann@example.org failed"}).text
    assert "ann@example.org" not in shown
    assert shown.startswith("HighErrorRate: login as ")


def test_one_without_words_is_told_by_its_name() -> None:
    """Many rules have no annotations."""
    assert one(annotations={}).text == "HighErrorRate fires"


def test_alerts_are_an_incident_that_ends_with_them() -> None:
    """The correlation takes them as it takes anomalies of its own."""
    made = Correlator.fresh("default", NOW - 7 * 24 * 60 * MINUTE)
    opened = made.feed(read_alerts(told(alert()), now=NOW).symptoms, NOW)
    assert [event.kind for event in opened] == [EntryKind.OPENED]
    (incident,) = made.incidents
    assert (incident.services, incident.severity) == (("checkout",), Severity.HIGH)
    over = alert(status="resolved", endsAt="2026-11-23T14:01:00Z")
    ended = made.feed(read_alerts(told(over), now=NOW + 2 * MINUTE).symptoms, NOW + 2 * MINUTE)
    ended += made.tick(NOW + 120 * MINUTE)
    assert EntryKind.RESOLVED in {event.kind for event in ended}


# -- what is refused


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{}", "body"),
        (b"[1]", "body"),
        (b"\xff\xfe", "body"),
        (told(version="3"), "body"),
        (told(alert(status="sleeping")), "body"),
        (told(alert(startsAt="yesterday")), "body"),
        (told(alert(labels={"a": 1})), "body"),
        (told(alert(fingerprint="")), "alerts[0].fingerprint"),
        (told(alert(), alert(fingerprint="a/../b")), "alerts[1].fingerprint"),
        (told(*[alert()] * (ALERTS + 1)), "alerts"),
        (b" " * (BODY + 1), "body"),
    ],
)
def test_what_is_no_notification_is_refused_by_name(body: bytes, field: str) -> None:
    """Whoever set it up reads in Alertmanager's log what is wrong."""
    with pytest.raises(InputError) as told_:
        read_alerts(body, now=NOW)
    assert told_.value.field == field


def test_what_newer_ones_add_is_no_error() -> None:
    """As `notification_reason` and `routeLabels` in later releases."""
    body = told(alert(), notification_reason="first notification", routeLabels={"a": "b"})
    assert len(read_alerts(body, now=NOW).symptoms) == 1


def test_a_huge_label_is_cut() -> None:
    """Alertmanager has no limit for them."""
    symptom = labelled(service="s" * 10_000, **{f"l{n}": "x" for n in range(500)})
    assert len(symptom.service) <= 200


TEXTS = st.text(max_size=60)


@settings(max_examples=80)
@given(
    st.dictionaries(TEXTS, TEXTS, max_size=6),
    st.dictionaries(st.sampled_from(["summary", "description"]), TEXTS, max_size=2),
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from(["firing", "resolved"]),
)
def test_whatever_is_told_a_symptom_is_one(
    labels: dict[str, str],
    annotations: dict[str, str],
    starts: datetime,
    ends: datetime,
    status: str,
) -> None:
    """It begins before it ends, not tomorrow, and is read on one line."""
    times = {"startsAt": starts.isoformat(), "endsAt": ends.isoformat(), "status": status}
    read = read_alerts(told(alert(labels=labels, annotations=annotations, **times)), now=NOW)
    for symptom in read.symptoms:
        assert symptom.start <= NOW
        assert symptom.end is None or symptom.start <= symptom.end <= NOW
        assert symptom.is_open is (status == "firing")
        assert symptom.text.isprintable()
        assert symptom.service.isprintable()


# -- a real one


def test_the_body_of_a_real_one_is_read() -> None:
    """Kept as Alertmanager 0.25 sent it: two that fire, one that is over."""
    body = (GOLDEN / "alertmanager.webhook.json").read_bytes()
    read = read_alerts(body, now=NOW + 365 * 86_400_000)
    assert [(s.service, s.severity, s.is_open) for s in read.symptoms] == [
        ("cart", Severity.MEDIUM, True),
        ("checkout", Severity.HIGH, False),
        ("web", Severity.LOW, True),
    ]
    assert len({s.id for s in read.symptoms}) == 3


@contextmanager
def telling(folder: Path) -> Iterator[tuple[RunningPrometheus, queue.Queue[bytes]]]:
    """A real Alertmanager, and what it sends."""
    got: queue.Queue[bytes] = queue.Queue()

    def answer(request: Request) -> Answer:
        got.put(request.body)
        return Answer(200)

    with serving(answer) as url, running_alertmanager(folder, CONFIG % url) as server:
        yield server, got


def fire(server: RunningPrometheus, *alerts: dict[str, Any]) -> None:
    """As Prometheus would."""
    request = urllib.request.Request(
        f"{server.url}/api/v2/alerts",
        data=json.dumps(alerts).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


def labels_of(service: str, severity: str) -> dict[str, str]:
    """Of one group."""
    return {"alertname": "HighErrorRate", "service": service, "severity": severity}


def read_until(got: queue.Queue[bytes], is_it: Any) -> tuple[bytes, AlertsRead]:  # noqa: ANN401
    """The first notification of which this holds; all before are read, too."""
    while True:
        body = got.get(timeout=30)
        read = read_alerts(body, now=round(time.time() * 1000))
        if is_it(read.symptoms):
            return body, read


@pytest.mark.real
def test_a_real_one_tells_of_alerts_that_fire_and_end(tmp_path: Path) -> None:
    """By its webhook, as it is configured in the pages."""
    starts = datetime.fromtimestamp(time.time() - 60, UTC).isoformat()
    with telling(tmp_path) as (server, got):
        summary = {"summary": "12 % of requests fail"}
        first = {"labels": labels_of("checkout", "critical"), "annotations": summary}
        others = [{"labels": labels_of(*one)} for one in (("cart", "warning"), ("web", "info"))]
        fire(server, *({**a, "startsAt": starts} for a in (first, *others)))
        _, read = read_until(got, lambda symptoms: len(symptoms) == 3)
        begun = {symptom.service: symptom for symptom in read.symptoms}
        assert begun["checkout"].severity is Severity.HIGH
        assert begun["checkout"].text == "HighErrorRate: 12 % of requests fail"
        assert all(symptom.is_open for symptom in read.symptoms)
        ends = datetime.fromtimestamp(time.time() - 1, UTC).isoformat()
        fire(server, {**first, "startsAt": starts, "endsAt": ends})
        _, read = read_until(got, lambda symptoms: any(not s.is_open for s in symptoms))
        (over,) = [symptom for symptom in read.symptoms if not symptom.is_open]
        assert over.id == begun["checkout"].id
        assert over.end is not None
        assert over.start < over.end


@pytest.mark.real
def test_what_we_told_a_real_one_comes_back_as_nothing(tmp_path: Path) -> None:
    """Where it is told of our incidents and tells us all that it knows."""
    incident = incident_told(told_at=round(time.time() * 1000))
    with telling(tmp_path) as (server, got):
        sink = NotifierSettings(name="ops", kind="alertmanager", url=server.url, allow_private=True)
        Alertmanager(sink).send(incident)
        read = read_alerts(got.get(timeout=30), now=round(time.time() * 1000))
    assert (read.symptoms, read.skipped) == ((), 1)
