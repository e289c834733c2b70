"""What is written to topics: events of anomalies, and messages that could not be judged."""

from __future__ import annotations

from datetime import UTC, datetime

from detector.stream.anomaly import Happened
from pipelines.topics.port import Message, Outgoing

__all__ = ["CUT", "anomaly_event", "dead_letter"]

# Headers of a dead letter beside its own.
REASON, TOPIC, PARTITION, OFFSET = (
    "serinus-reason", "serinus-topic", "serinus-partition", "serinus-offset"
)  # fmt: skip
TIMESTAMP, CUT = "serinus-timestamp", "serinus-cut-from"
# What a record takes beside its key, value and headers, generously.
_FRAME = 256


def anomaly_event(
    topic: str, happened: Happened, *, part: str, offset: int, nth: int, body: bytes
) -> Outgoing:
    """An event as a CloudEvent in binary mode; `body` is its JSON.

    It was told as the `nth` of the message at `offset` of a partition. When that message is judged
    again after a death the event has the same id, so that who reads the topic can drop it. The
    events of one service are in one partition, in order.
    """
    anomaly = happened.anomaly
    headers = {
        "ce_specversion": "1.0",
        "ce_type": f"io.serinus.anomaly.{happened.kind.value}",
        "ce_source": f"/serinus/{part}",
        "ce_id": f"{part}/{offset}/{nth}",
        "ce_subject": anomaly.id,
        "ce_time": _time(happened.at),
        "content-type": "application/json",
    }
    return Outgoing(
        topic=topic,
        key=f"{anomaly.tenant}/{anomaly.subject.service}".encode(),
        value=body,
        headers=tuple((name, value.encode()) for name, value in headers.items()),
    )


def dead_letter(topic: str, message: Message, reason: str, *, most_bytes: int) -> Outgoing:
    """A message that could not be judged, byte for byte, with where it was and why.

    What would be longer than `most_bytes` is cut, and `serinus-cut-from` tells how long it was:
    a letter that cannot be written would hold up its partition for ever.
    """
    added = {
        REASON: reason,
        TOPIC: message.partition.topic,
        PARTITION: str(message.partition.number),
        OFFSET: str(message.offset),
        TIMESTAMP: str(message.at),
    }
    headers = message.headers + tuple((name, text.encode()) for name, text in added.items())
    value = message.value or b""
    room = most_bytes - _FRAME - _size(message.key, headers)
    if len(value) > room:
        headers += ((CUT, str(len(value)).encode()),)
        value = value[: max(room - len(CUT) - 20, 0)]
    return Outgoing(topic=topic, key=message.key, value=value, headers=headers)


def _size(key: bytes | None, headers: tuple[tuple[str, bytes], ...]) -> int:
    return len(key or b"") + sum(len(name.encode()) + len(value) + 10 for name, value in headers)


def _time(at: int) -> str:
    text = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
