"""Events as the topic of anomalies has them."""

from __future__ import annotations

import json

from api.bodies.anomaly import anomaly_body, topic_body
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
