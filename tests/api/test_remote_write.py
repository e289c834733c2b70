"""The door for Prometheus remote write: what is taken, and what a sender is told otherwise."""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.settings import Settings
from detector.stream.columns import SeriesKind, is_stale
from pipelines.testing.remote_write import request, snapped
from tests.api.doors import Door, problem_of
from tests.api.pushing import NOW_MS, WRITE, PushDoor, one_series


def limited(**ingest: int) -> PushDoor:
    """A door with other limits."""
    return PushDoor(settings=Settings(ingest=ingest))  # type: ignore[arg-type]


def test_a_push_reaches_the_sink() -> None:
    """Labels, time and value, under the sender's own names."""
    door = PushDoor()
    told = door.write(one_series(2.5, pod="a"), one_series(7.0, pod="b"))
    assert (told.status_code, told.content) == (204, b"")
    assert [(dict(info.labels)["pod"], at, value) for info, at, value in door.sink.samples()] == [
        ("a", NOW_MS, 2.5),
        ("b", NOW_MS, 7.0),
    ]


def test_a_full_queue_is_429_with_a_time_to_wait() -> None:
    """The sender keeps the batch and comes back; nothing of it was taken."""
    door = PushDoor()
    door.sink.is_full = True
    told = door.write(one_series())
    assert problem_of(told)[0] == 429
    assert int(told.headers["retry-after"]) >= 1
    door.sink.is_full = False
    assert door.write(one_series()).status_code == 204
    assert len(door.sink.samples()) == 1
    assert 'serinus_ingest_full_total{door="remote_write",tenant="default"} 1.0' in door.metrics()


@pytest.mark.parametrize(
    "sender",
    [
        "Prometheus/3.5.0",
        "GrafanaAgent/v0.40.2",
        "OpenTelemetry-Collector-Contrib/0.165.0",
        "opentelemetry-collector/0.165.0",
    ],
)
def test_who_would_throw_away_what_429_answers_is_told_503(sender: str) -> None:
    """As they come, they retry after 5xx alone (Prometheus: retry_on_http_429 is off)."""
    door = PushDoor()
    door.sink.is_full = True
    told = door.write(one_series(), User_Agent=sender)
    assert (told.status_code, told.headers["retry-after"]) == (503, "2")


def test_a_store_that_is_down_is_503() -> None:
    """The sender keeps what we cannot."""
    door = PushDoor()
    door.sink.is_down = True
    told = door.write(one_series())
    assert problem_of(told)[0] == 503
    assert told.headers["retry-after"]


def test_version_2_is_sent_back_to_version_1() -> None:
    """415 is the word for it; a 2xx would be read as taken."""
    kind = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
    told = PushDoor().write(one_series(), Content_Type=kind)
    assert problem_of(told)[0] == 415
    versioned = PushDoor().write(one_series(), X_Prometheus_Remote_Write_Version="2.0.0")
    assert problem_of(versioned)[0] == 415


@pytest.mark.parametrize(
    ("header", "value"),
    [("Content_Type", "application/json"), ("Content_Encoding", "gzip")],
    ids=["type", "packing"],
)
def test_what_is_no_write_request_by_its_headers_is_400(header: str, value: str) -> None:
    """It names the header to mend."""
    told = PushDoor().write(one_series(), **{header: value})
    assert problem_of(told) == (400, header.replace("_", "-"))


def test_headers_that_old_senders_leave_out_are_not_missed() -> None:
    """Prometheus' own receiver is as lenient."""
    told = PushDoor().write(one_series(), Content_Type="", Content_Encoding="")
    assert told.status_code == 204


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xff\xff\xff\xff", request([one_series()]), snapped(b"\x0a\xff"), b"\x05\x10ab"],
    ids=["empty", "no-length", "unpacked", "cut", "short"],
)
def test_bytes_that_cannot_be_read_are_400(body: bytes) -> None:
    """They would be as bad the next time."""
    door = PushDoor()
    assert problem_of(door.write_bytes(body)) == (400, "body")
    assert door.sink.samples() == []


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    """Four bytes that promise four gigabytes."""
    assert problem_of(PushDoor().write_bytes(b"\xff\xff\xff\xff\x0f\x00"))[0] == 413
    small = limited(unpacked_mb=1)
    assert problem_of(small.write_bytes(snapped(b"\x0a\x00" * 2**20)))[0] == 413


def test_a_body_longer_than_is_taken_is_413() -> None:
    """By its announced length, at a limit of its own: questions are shorter."""
    assert problem_of(limited(body_mb=1).write_bytes(b"x" * (2**20 + 1)))[0] == 413
    assert problem_of(limited(body_mb=1).write_bytes(b"x" * 2**20))[0] == 400


def test_beyond_the_series_limit_the_known_go_on() -> None:
    """New series are refused in words that name the limit, and counted; the others are taken."""
    door = limited(series=2)
    told = door.write(*(one_series(pod=str(n)) for n in range(5)))
    assert problem_of(told)[0] == 400
    assert "3 series_limit" in told.json()["detail"]
    assert "ingest.series" in told.json()["detail"]
    assert door.write(one_series(pod="1")).status_code == 204
    assert len(door.sink.samples()) == 3
    shown = door.metrics()
    labels = '{door="remote_write",reason="series_limit",tenant="default"}'
    assert f"serinus_ingest_refused_samples_total{labels} 3.0" in shown
    assert 'serinus_ingest_series{tenant="default"} 2.0' in shown


@pytest.mark.parametrize(
    ("at", "reason"),
    [(NOW_MS + 11 * 60_000, "in_the_future"), (NOW_MS - 8 * 86_400_000, "too_old"), (0, "too_old")],
    ids=["future", "past", "zero"],
)
def test_times_far_off_are_refused_by_name(at: int, reason: str) -> None:
    """A clock that is wrong must not set a series' state into the next century."""
    door = PushDoor()
    told = door.write(one_series(at=at), one_series(5.0))
    assert problem_of(told)[0] == 400
    assert f"1 {reason}" in told.json()["detail"]
    assert [value for _, _, value in door.sink.samples()] == [5.0]


def test_stale_nan_and_infinity_come_through_bit_by_bit() -> None:
    """What they mean is for the models to say; one NaN is not the other."""
    door = PushDoor()
    words = [0x7FF0000000000002, 0x7FF8000000000001, 0x7FF0000000000000, 0xFFF0000000000000]
    values = [struct.unpack("<d", struct.pack("<Q", word))[0] for word in words]
    labels = {"__name__": "up"}
    door.write((labels, [(value, NOW_MS + n) for n, value in enumerate(values)]))
    assert door.sink.bits() == words
    assert is_stale(door.sink.batches["default"][0].value).tolist() == [True, False, False, False]


def test_order_and_duplicates_are_left_as_they_came() -> None:
    """The operator knows what it has seen, a door does not."""
    door = PushDoor()
    times = [NOW_MS, NOW_MS - 1000, NOW_MS]
    assert door.write(({"__name__": "up"}, [(1.0, at) for at in times])).status_code == 204
    assert [at for _, at, _ in door.sink.samples()] == times


def test_tenants_are_kept_apart() -> None:
    """The same labels of two tenants are two series."""
    door = PushDoor()
    door.write(one_series(1.0), X_Scope_OrgID="one")
    door.write(one_series(2.0), X_Scope_OrgID="two")
    assert [value for _, _, value in door.sink.samples("one")] == [1.0]
    assert [value for _, _, value in door.sink.samples("two")] == [2.0]


def test_there_are_not_any_number_of_tenants() -> None:
    """A header must not fill the memory."""
    door = limited(tenants=1)
    assert door.write(one_series()).status_code == 204
    assert problem_of(door.write(one_series(), X_Scope_OrgID="other")) == (400, "X-Scope-OrgID")
    assert problem_of(door.write(one_series(), X_Scope_OrgID="a/b")) == (400, "X-Scope-OrgID")


def test_without_the_token_nothing_is_taken() -> None:
    """The doors for metrics are behind the same lock as all others."""
    door = PushDoor(settings=Settings(token="a long enough token"))  # type: ignore[arg-type]
    assert problem_of(door.write(one_series()))[0] == 401
    told = door.write(one_series(), Authorization="Bearer a long enough token")
    assert told.status_code == 204


def test_without_a_stream_there_is_no_door() -> None:
    """404 says that this is not the address; it does not pretend to take."""
    assert problem_of(Door().client.post("/api/v1/write", content=b""))[0] == 404


def test_more_bodies_than_are_held_at_once_are_put_off() -> None:
    """503 with a time to wait, before the body is read; the memory of a process is bounded."""
    door = limited(held_mb=1)
    receiver = door.app.state.context.receiver
    receiver.held = 2**20
    told = door.write(one_series())
    assert problem_of(told)[0] == 503
    assert told.headers["retry-after"]
    receiver.held = 0
    assert door.write(one_series()).status_code == 204
    assert receiver.held == 0


def test_pushes_at_once_give_each_series_one_id() -> None:
    """Eight senders that bring the same new series in the same moment."""
    door = PushDoor()
    body = snapped(request(one_series(pod=str(n)) for n in range(200)))
    client = door.client
    with ThreadPoolExecutor(8) as senders:
        told = list(
            senders.map(
                lambda _: client.post("/api/v1/write", content=body, headers=WRITE).status_code,
                range(16),
            )
        )
    assert set(told) == {204}
    pods = [dict(info.labels)["pod"] for info in door.sink.series["default"]]
    assert sorted(pods) == sorted(str(n) for n in range(200))
    assert len(door.sink.samples()) == 16 * 200


def test_kinds_follow_the_names() -> None:
    """Counters are told from gauges before any metadata came."""
    door = PushDoor()
    door.write(({"__name__": "requests_total"}, [(1.0, NOW_MS)]), one_series())
    kinds = [info.kind for info, _, _ in door.sink.samples()]
    assert kinds == [SeriesKind.CUMULATIVE, SeriesKind.GAUGE]
