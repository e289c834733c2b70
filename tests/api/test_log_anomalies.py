"""Anomalies of logs as JSON and as they are kept: beside those of metrics, also those of before."""

from __future__ import annotations

import msgspec

from api.bodies.anomaly import AnomalyAnswer, anomaly_body, event_body
from detector.logs.lines import Level
from detector.logs.story import named
from detector.stream.anomaly import Anomaly, AnomalyKind, Happened
from detector.stream.record import KeptAnomaly
from pipelines.stores.codec import pack, unpack
from tests.detector.logs.worlds import DAY, HOUR, MINUTE, Line, learned, run, usual


def new_error() -> Happened:
    """The event of an error that nobody wrote before, with markup and an address in it."""
    line = Line(DAY + HOUR, "no <b>db</b> for <mail>", 5, Level.ERROR,
                sample="no <b>db</b> for ann@example.org\x1b[31m")  # fmt: skip
    return run(learned(), [line])[0]


def kept(anomaly: Anomaly) -> KeptAnomaly:
    """As a store has it."""
    return KeptAnomaly(anomaly=anomaly, series=named(anomaly), tunings={})


def test_an_anomaly_of_new_lines_is_told_with_its_lines() -> None:
    """Who opens it would see numbers of series and not what was written."""
    body = anomaly_body(kept(new_error().anomaly))
    line = body["lines"][0]
    assert (body["kind"], body["severity"], body["side"]) == ("log_novelty", "medium", "above")
    assert (line["level"], line["count"], line["every_s"]) == ("ERROR", 5, None)
    assert line["line"] == "no <b>db</b> for <email>"
    assert body["contributions"][0]["labels"]["template"] == line["template"]
    AnomalyAnswer.model_validate(body)


def test_an_event_of_a_silence_says_so_in_words() -> None:
    """Who follows would take a heartbeat for a metric."""
    start = DAY + HOUR
    event = event_body(run(learned(), usual(start, start + 30 * MINUTE, beat=0))[0])
    assert (event["kind"], event["side"], event["event"]) == ("log_silence", "below", "opened")
    assert "missing while the service still logs" in event["text"]


def test_what_a_store_has_comes_back_as_it_was() -> None:
    """After a restart a page would show less than before."""
    anomaly = new_error().anomaly
    assert unpack(Anomaly, pack(anomaly)) == anomaly


def test_an_anomaly_that_was_kept_before_there_were_logs_is_one_of_a_metric() -> None:
    """After an upgrade no page of anomalies could be read."""
    anomaly = new_error().anomaly
    schema, body = msgspec.msgpack.decode(pack(anomaly))
    old = {name: value for name, value in body.items() if name not in ("kind", "lines")}
    found = unpack(Anomaly, msgspec.msgpack.encode((schema, old)))
    assert (found.kind, found.lines, found.id) == (AnomalyKind.METRIC, (), anomaly.id)
