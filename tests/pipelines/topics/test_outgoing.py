"""What is written to topics, header by header: others read it without us."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from detector.stream.anomaly import (
    Anomaly,
    AnomalyState,
    Contribution,
    Happened,
    Happening,
    Severity,
    Side,
    Subject,
)
from pipelines.topics.outgoing import CUT, anomaly_event, dead_letter
from pipelines.topics.port import Message, Outgoing, Partition

AT = 1_764_000_000_250


def happened(kind: Happening = Happening.OPENED, service: str = "cart") -> Happened:
    """An event of an anomaly."""
    worst = Contribution(
        series=3, start=AT, peak_at=AT, end=None, value=9.0, expected=1.0, low=0.5, high=2.0,
        surprise=3.0, excess=4.0,
    )  # fmt: skip
    anomaly = Anomaly(
        id="an_1", tenant="shop", subject=Subject(service=service, namespace="", cluster="",
        metric="errors_total"), side=Side.ABOVE, severity=Severity.HIGH, state=AnomalyState.OPEN,
        ending=None, start=AT, end=None, members=1, live=2, contributions=(worst,),
    )  # fmt: skip
    return Happened(kind=kind, at=AT, anomaly=anomaly)


def event(told: Happened, nth: int = 2) -> Outgoing:
    """As it is written."""
    return anomaly_event("out", told, part="columns/7", offset=41, nth=nth, body=b"{}")


def message(value: bytes | None = b"\x00broken", **more: object) -> Message:
    """A message that nobody can read."""
    plain = Message(
        partition=Partition("otlp_metrics", 7), offset=41, at=AT, key=b"k", value=value,
        headers=(("X-Scope-OrgID", b"shop"),),
    )  # fmt: skip
    return replace(plain, **more)  # type: ignore[arg-type]


def test_an_event_is_a_cloud_event_in_binary_mode() -> None:
    """Tools that know CloudEvents route it by its headers, and need not open it."""
    headers = dict(event(happened()).headers)
    assert headers == {
        "ce_specversion": b"1.0",
        "ce_type": b"io.serinus.anomaly.opened",
        "ce_source": b"/serinus/columns/7",
        "ce_id": b"columns/7/41/2",
        "ce_subject": b"an_1",
        "ce_time": b"2025-11-24T16:00:00.250Z",
        "content-type": b"application/json",
    }


def test_an_event_that_is_told_again_has_the_same_id() -> None:
    """After a death it is written twice: readers drop what they have by its id."""
    assert event(happened()) == event(happened())
    assert dict(event(happened()).headers)["ce_id"] != dict(event(happened(), 3).headers)["ce_id"]


def test_events_of_a_service_have_one_key() -> None:
    """They would be read in another order than they happened: closed before opened."""
    opened, closed = happened(), happened(Happening.CLOSED)
    assert event(opened).key == event(closed).key == b"shop/cart"
    assert event(happened(service="pay")).key != event(opened).key


def test_a_dead_letter_is_the_message_with_its_place_and_the_reason() -> None:
    """Somebody mends the cause and sends it again: all that is needed is in the letter."""
    letter = dead_letter("dead", message(), "no snappy block", most_bytes=10_000)
    assert (letter.topic, letter.key, letter.value) == ("dead", b"k", b"\x00broken")
    assert letter.headers == (
        ("X-Scope-OrgID", b"shop"),
        ("serinus-reason", b"no snappy block"),
        ("serinus-topic", b"otlp_metrics"),
        ("serinus-partition", b"7"),
        ("serinus-offset", b"41"),
        ("serinus-timestamp", str(AT).encode()),
    )


def test_a_message_without_a_value_becomes_a_letter() -> None:
    """A deleted key is no metrics; it must not stop its partition either."""
    assert dead_letter("dead", message(None), "no value", most_bytes=10_000).value == b""


@given(size=st.integers(0, 5_000), most=st.integers(1_000, 4_000), reason=st.text(max_size=50))
def test_no_letter_is_longer_than_may_be_written(size: int, most: int, reason: str) -> None:
    """A letter that the broker refuses would hold up its partition for ever."""
    value = bytes(range(256)) * (size // 256 + 1)
    letter = dead_letter("dead", message(value[:size]), reason, most_bytes=most)
    headers = sum(len(name.encode()) + len(text) for name, text in letter.headers)
    assert len(letter.value) + headers + len(letter.key or b"") <= most
    assert value.startswith(letter.value)
    was = dict(letter.headers).get(CUT, str(len(letter.value)).encode())
    assert int(was) == size
