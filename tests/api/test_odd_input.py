"""Odd input at every door for pushes: what is told, what is taken, and what is counted."""

from __future__ import annotations

import gzip
import json
import math
import struct
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.settings import Settings
from detector.stream.columns import STALE
from pipelines.testing.remote_write import Series
from tests.api.odd import FORMS, Form, zipped
from tests.api.pushing import NOW_MS, PushDoor, one_series

MB = 2**20
EVERY = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
HOUR_MS = 3_600_000


def limited(**ingest: int) -> PushDoor:
    """A door with other limits."""
    return PushDoor(settings=Settings(ingest=ingest))  # type: ignore[arg-type]


def values(door: PushDoor, tenant: str = "default") -> list[float]:
    """All that came through, in order."""
    return [value for _, _, value in door.sink.samples(tenant)]


@EVERY
def test_good_input_is_taken(form: Form) -> None:
    """Or the tests below would be of a form that is never taken."""
    door = PushDoor()
    assert form.push(door, one_series(2.5, pod="a"), one_series(7.0, pod="b")).is_taken
    assert values(door) == [2.5, 7.0]


@EVERY
@given(cut=st.integers(min_value=1, max_value=400))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_a_message_that_was_cut_is_refused_or_is_a_part(form: Form, cut: int) -> None:
    """Never a sample that nobody sent; a cut between two series of remote write is a request."""
    door = PushDoor()
    series = [one_series(float(n), pod=f"p{n}") for n in range(4)]
    whole = form.write(series)
    told = form.heard(form.send(door, form.pack(whole[: -min(cut, len(whole) - 1)])))
    kept = values(door)
    assert kept == [0.0, 1.0, 2.0, 3.0][: len(kept)]
    assert told.status == 400 or told.is_taken
    assert not (told.status == 400 and kept)


@EVERY
@pytest.mark.parametrize("left", [1, 7, 20])
def test_a_body_whose_packing_was_cut_is_refused(form: Form, left: int) -> None:
    """Nothing of it is taken, and no sender comes again with it."""
    door = PushDoor()
    body = form.pack(form.write([one_series(float(n), pod=f"p{n}") for n in range(9)]))
    told = form.send(door, body[:left])
    assert told.status_code == 400
    assert "retry-after" not in told.headers
    assert values(door) == []


@EVERY
def test_a_body_that_is_too_long_is_413(form: Form) -> None:
    """By the length that it announces, before it is read; and by its own where it tells none."""
    door, body = limited(body_mb=1), b"x" * (MB + 1)
    assert form.send(door, body).status_code == 413

    def parts() -> Iterator[bytes]:
        yield from (body[at : at + 65_536] for at in range(0, len(body), 65_536))

    headers = {"Content-Type": form.kind, "Content-Encoding": form.packing}
    told = door.client.post(form.path, content=parts(), headers=headers)
    assert told.status_code == 413
    assert values(door) == []


BOMBS = [
    ("remote-write", "snappy"),
    *((form, packing) for form in ("otlp", "otlp-json", "columns") for packing in ("gzip", "zstd")),
]


@pytest.mark.parametrize(("name", "packing"), BOMBS)
def test_a_bomb_is_413_and_is_not_unpacked(name: str, packing: str) -> None:
    """Some hundred bytes that unpack to more than is held of any body."""
    door, form = limited(unpacked_mb=1), FORMS[name]
    pack = {"snappy": form.pack, "gzip": gzip.compress, "zstd": zipped}[packing]
    told = form.send(door, pack(bytes(MB + 1)), Content_Encoding=packing)
    assert told.status_code == 413
    assert "retry-after" not in told.headers


@EVERY
@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", "multipart/form-data"])
def test_another_content_type_is_refused(form: Form, kind: str) -> None:
    """As its protocol says: 400 for remote write 1.0, else 415."""
    door = PushDoor()
    told = form.send(door, form.pack(form.write([one_series()])), Content_Type=kind)
    assert told.status_code == (400 if form.path == "/api/v1/write" else 415)
    assert values(door) == []


@EVERY
def test_another_packing_is_refused(form: Form) -> None:
    """It says which are taken."""
    told = form.send(PushDoor(), form.pack(form.write([one_series()])), Content_Encoding="br")
    assert told.status_code == (400 if form.path == "/api/v1/write" else 415)


def unknown_field(form: Form, body: bytes) -> bytes:
    """The same with something that a later version may add."""
    match form.kind:
        case "application/json":
            return json.dumps({**json.loads(body), "ofTomorrow": {"deep": [1]}}).encode()
        case "application/msgpack":
            return msgspec.msgpack.encode({**msgspec.msgpack.decode(body), "of_tomorrow": [1, {}]})
    return body + b"\xa2\x06\x03abc" + b"\xa8\x06\x96\x01"


@EVERY
def test_unknown_fields_are_passed_over(form: Form) -> None:
    """A new sender is no error for an old receiver."""
    door = PushDoor()
    body = unknown_field(form, form.write([one_series(4.0)]))
    assert form.heard(form.send(door, form.pack(body))).is_taken
    assert values(door) == [4.0]


@EVERY
def test_a_series_of_100_000_labels_is_refused_and_the_one_beside_it_taken(form: Form) -> None:
    """A mistake of one target must not cost the others of its batch."""
    door = PushDoor()
    many = {"__name__": "up", **{f"l{n}": "x" for n in range(100_000)}}
    told = form.push(door, (many, [(1.0, NOW_MS)]), one_series(2.0))
    assert told.refused == 1
    assert "1 labels" in told.words
    assert "at most 256" in told.words
    assert values(door) == [2.0]


@EVERY
def test_labels_that_churn_end_at_the_limit_of_their_tenant(form: Form) -> None:
    """In words that say what to do, and in a metric; known series and other tenants go on."""
    door = limited(series=2)
    told = form.push(door, *(one_series(float(n), pod=f"p{n}") for n in range(5)))
    again = form.push(door, one_series(9.0, pod="p1"))
    other = form.push(door, one_series(8.0, pod="p4"), X_Scope_OrgID="other")
    assert (told.refused, again.is_taken, other.is_taken) == (3, True, True)
    assert "3 series_limit" in told.words
    assert "ingest.series" in told.words
    assert values(door) == [0.0, 1.0, 9.0]
    shown = door.metrics()
    (line,) = [one for one in shown.splitlines() if 'reason="series_limit"' in one]
    assert line.startswith("serinus_ingest_refused_samples_total")
    assert 'tenant="default"' in line
    assert line.endswith(" 3.0")
    assert 'serinus_ingest_series{tenant="default"} 2.0' in shown
    assert "serinus_ingest_series_limit 2.0" in shown


@EVERY
@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (NOW_MS + 11 * 60_000, "in_the_future"),
        (NOW_MS + 100 * 365 * 24 * HOUR_MS, "in_the_future"),
        (NOW_MS - 8 * 24 * HOUR_MS, "too_old"),
        (1, "too_old"),
        (0, "too_old"),
    ],
    ids=["soon", "next-century", "last-week", "1970", "zero"],
)
def test_times_far_off_are_refused_by_name(form: Form, at: int, reason: str) -> None:
    """The sample beside it is taken."""
    door = PushDoor()
    told = form.push(door, one_series(at=at, pod="a"), one_series(5.0, pod="b"))
    assert told.refused == 1
    assert f"1 {reason}" in told.words
    assert values(door) == [5.0]


@EVERY
def test_what_is_out_of_order_or_twice_is_left_as_it_came(form: Form) -> None:
    """The operator knows what it has seen, a door does not."""
    door = PushDoor()
    times = [NOW_MS, NOW_MS - 1_000, NOW_MS, NOW_MS]
    series: Series = ({"__name__": "up"}, [(float(n), at) for n, at in enumerate(times)])
    assert form.push(door, series).is_taken
    assert form.push(door, series).is_taken
    assert [at for _, at, _ in door.sink.samples()] == times * 2
    assert values(door) == [0.0, 1.0, 2.0, 3.0] * 2


@EVERY
def test_no_numbers_come_through_as_what_they_are(form: Form) -> None:
    """The marker of an end is no NaN like others, and an infinity has a sign."""
    door = PushDoor()
    told = [math.nan, math.inf, -math.inf, STALE]
    series: Series = ({"__name__": "up"}, [(value, NOW_MS + n) for n, value in enumerate(told)])
    assert form.push(door, series).is_taken
    nan, *others = door.sink.bits()
    assert others == [struct.unpack("<Q", struct.pack("<d", value))[0] for value in told[1:]]
    assert math.isnan(struct.unpack("<d", struct.pack("<Q", nan))[0])
    assert nan != others[-1]
