"""Events as the topic of anomalies has them."""

from __future__ import annotations

import json
from dataclasses import replace

from api.bodies.anomaly import anomaly_body, event_body, topic_body
from detector.stream.columns import SeriesInfo, SeriesKind
from detector.stream.record import KeptAnomaly
from tests.pipelines.topics.test_outgoing import happened

LABELS = (("__name__", "errors_total"), ("service", "cart"))
SERIES = {3: SeriesInfo(labels=LABELS, kind=SeriesKind.CUMULATIVE)}


def test_an_event_holds_what_the_api_answers() -> None:
    """Who reads the topic needs no second question, and one schema does for both."""
    told = json.loads(topic_body(happened(), SERIES))
    asked = anomaly_body(KeptAnomaly(anomaly=happened().anomaly, series=SERIES, tunings={}))
    assert told == {"event": "opened", "at": "2025-11-24T16:00:00Z", "tenant": "shop", **asked}
    assert told["peak"]["labels"] == dict(LABELS)


def test_the_same_event_is_the_same_bytes() -> None:
    """It is written again after a crash."""
    assert topic_body(happened(), SERIES) == topic_body(happened(), SERIES)


def test_when_it_came_back_is_told() -> None:
    """Whoever looks for what changed before it looks from then on."""
    one = happened()
    back = replace(one, anomaly=replace(one.anomaly, again=one.anomaly.start + 3_600_000))
    assert json.loads(topic_body(one, SERIES))["again"] is None
    assert json.loads(topic_body(back, SERIES))["again"] == "2025-11-24T17:00:00Z"
    assert event_body(back)["again"] == "2025-11-24T17:00:00Z"
