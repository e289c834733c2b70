"""Traces of an anomaly as people and programs get them, with a link to look each up by."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from api.bodies.anomaly import AnomalyAnswer, anomaly_body, event_body, topic_body
from api.settings import Settings, load_settings
from api.traces_settings import TracesSection
from detector.errors import ConfigError
from detector.stream.anomaly import Anomaly, Happened
from detector.stream.record import KeptAnomaly
from detector.stream.traced import SpentNote, TraceNote, TraceWhy
from detector.stream.words import told_in_words
from pipelines.stores.codec import pack, unpack
from tests.api.test_topic_body import SERIES
from tests.pipelines.topics.test_outgoing import happened

TEMPO = TracesSection(url="https://tempo.example.org/trace/{trace_id}?orgId=1")
HOSTILE = "<img src=x onerror=alert(1)>"
NOTE = TraceNote(
    trace="0af7651916cd43dd8448eb211c80319c",
    span="b7ad6b7169203331",
    at=1_764_000_000_123,
    duration_s=1.23456789,
    why=TraceWhy.SLOWEST,
    has_failed=False,
    service="checkout",
    version="",
    operation=HOSTILE,
    usual_s=0.12,
    spent=(SpentNote(service="checkout", operation="SELECT orders", seconds=1.1),),
)


def traced() -> Happened:
    """An event of an anomaly with a trace."""
    one = happened()
    return replace(one, anomaly=replace(one.anomaly, traces=(NOTE,)))


def test_a_trace_tells_what_took_so_long_and_where_to_look() -> None:
    """A person opens it in one step, and sees before that whether it is worth it."""
    kept = KeptAnomaly(anomaly=traced().anomaly, series=SERIES, tunings={})
    body = anomaly_body(kept, TEMPO.link)
    (trace,) = body["traces"]
    assert trace["url"] == f"https://tempo.example.org/trace/{NOTE.trace}?orgId=1"
    assert (trace["duration_s"], trace["usual_s"], trace["version"]) == (1.23457, 0.12, None)
    assert trace["at"] == "2025-11-24T16:00:00.123Z"
    assert trace["spent"] == [{"service": "checkout", "operation": "SELECT orders", "seconds": 1.1}]
    AnomalyAnswer.model_validate(body)


def test_events_have_the_same_traces() -> None:
    """Who follows, by HTTP or by a topic, needs no second question."""
    event = event_body(traced(), TEMPO.link)
    topic = json.loads(topic_body(traced(), SERIES, TEMPO.link))
    assert event["traces"] == topic["traces"]
    assert topic["traces"][0]["url"].endswith(f"{NOTE.trace}?orgId=1")


def test_without_a_setting_there_is_no_link() -> None:
    """The id is there for whoever knows where to look."""
    (trace,) = event_body(traced())["traces"]
    assert (trace["url"], trace["trace_id"]) == (None, NOTE.trace)
    assert Settings().traces.link(NOTE.trace) is None


def test_names_are_data_and_no_markup() -> None:
    """Whoever sends spans chooses them; JSON carries them as they are, and does nothing."""
    (trace,) = event_body(traced())["traces"]
    assert trace["operation"] == HOSTILE


def test_an_anomaly_comes_back_with_its_traces() -> None:
    """After a restart they would be gone."""
    anomaly = traced().anomaly
    assert unpack(Anomaly, pack(anomaly)) == anomaly


def test_an_anomaly_of_before_there_were_traces_has_none() -> None:
    """After an upgrade no page of anomalies could be read."""
    schema, body = msgspec.msgpack.decode(pack(happened().anomaly))
    old = {name: value for name, value in body.items() if name != "traces"}
    assert unpack(Anomaly, msgspec.msgpack.encode((schema, old))).traces == ()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://tempo.example.org/", "trace_id"),
        ("javascript:alert('{trace_id}')", "https://"),
        ("/trace/{trace_id}", "https://"),
        ("https://{trace_id}.example.org/", "host"),
        ("https://tempo.example.org/ {trace_id}", "unseen"),
        ("https://tempo.example.org/\x1b{trace_id}", "unseen"),
        ("https://tempo.example.org/{trace_id}" + "x" * 2_000, "2000"),
    ],
)
def test_a_link_that_leads_nowhere_is_refused_at_the_start(url: str, why: str) -> None:
    """Not found out at night, and nothing that a browser would run."""
    with pytest.raises(ValidationError, match=why):
        TracesSection(url=url)


def test_the_refusal_names_the_key(tmp_path: Path) -> None:
    """With the place in the file."""
    file = tmp_path / "serinus.yaml"
    file.write_text("traces: {url: 'https://tempo.example.org/'}\n")
    with pytest.raises(ConfigError, match=r"traces\.url"):
        load_settings(file)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {},
            " A request to 'POST /buy' took 1.23 s (usually 120 ms), 1.1 s of it in 'SELECT",
        ),
        (
            {"has_failed": True, "why": TraceWhy.FAILED},
            "A request to 'POST /buy' failed after 1.23 s",
        ),
        (
            {"usual_s": 0.0, "service": "web"},
            "took 1.23 s, 1.1 s of it in checkout: 'SELECT orders'.",
        ),
        ({"operation": "SELECT orders"}, "1.1 s of it in itself."),
    ],
)
def test_the_sentence_says_what_a_request_showed(change: dict[str, Any], sentence: str) -> None:
    """Who reads only that knows where to look."""
    note = replace(NOTE, **{"operation": "POST /buy", **change})
    anomaly = replace(traced().anomaly, traces=(note,))
    assert sentence in told_in_words(anomaly)


@pytest.mark.parametrize("change", [{"spent": ()}, {"why": TraceWhy.ORDINARY}])
def test_what_shows_nothing_is_not_spoken_of(change: dict[str, Any]) -> None:
    """An ordinary request is for comparison, and one whose spans are waited for tells no place."""
    anomaly = replace(traced().anomaly, traces=(replace(NOTE, **change),))
    assert told_in_words(anomaly) == told_in_words(happened().anomaly)
