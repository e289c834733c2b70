"""Bodies that are too much: long, deep, endless, broken, of the wrong kind."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from api.settings import Settings
from tests.api.doors import QUESTION, Door, passing_door, problem_of

LIMIT = 64 * 1024


def padded(length: int) -> bytes:
    """A good question with blanks, that many bytes long."""
    return json.dumps(QUESTION).encode().ljust(length)


def test_a_body_at_the_limit_is_read() -> None:
    """The bound is the bound."""
    assert passing_door().raw(padded(LIMIT)).status_code == 200


@pytest.mark.parametrize("length", [LIMIT + 1, 10 * LIMIT])
def test_a_longer_one_is_refused_by_its_announced_length(length: int) -> None:
    """It is not even read."""
    told = passing_door().raw(padded(length))
    assert problem_of(told) == (413, "body")
    assert told.headers["connection"] == "close"


@pytest.mark.parametrize("path", ["/v1/verdicts", "/flagger/rollout", "/flagger/event"])
def test_a_stream_without_a_length_is_cut_off(path: str) -> None:
    """Chunked bodies announce nothing; what is held in memory stays bounded."""
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 8192
            yield b" " * 8192

    headers = {"Content-Type": "application/json"}
    told = passing_door().client.post(path, content=endless(), headers=headers)
    assert problem_of(told)[0] == 413


def test_the_limit_is_a_setting() -> None:
    """For people with very long pod lists."""
    settings = Settings(limits={"body_kb": 1})  # type: ignore[arg-type]
    door = passing_door(Door(settings=settings))
    assert [door.raw(padded(n)).status_code for n in (1024, 1025)] == [200, 413]


@pytest.mark.parametrize("length", ["²", "1e9", "-1", "9" * 5000, "", "0x1000000"])
def test_a_length_that_is_no_number_is_no_error_of_ours(length: str) -> None:
    """Whatever a client writes there."""
    headers = [(b"Content-Length", length.encode()), (b"Content-Type", b"application/json")]
    told = passing_door().client.request(
        "POST", "/v1/verdicts", content=json.dumps(QUESTION), headers=headers
    )
    assert told.status_code in {200, 413}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b'{"service": "\xff", "canary": "{}"}',
        b'{"service": "\\ud800", "canary": "{}"}',
        b"\xef\xbb\xbf{}",
        json.dumps(QUESTION).encode("utf-16"),
        b"[" * 30_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"{'service': 'checkout'}",
        b'{"service": "checkout", "canary": "{}",}',
        b'{"service": "checkout"} {}',
        b'{"weight": ' + b"9" * 20_000 + b"}",
        b'{"service": "checkout", "service": "cart", "canary": "{}"}',
        b'{"service": "checkout", "canary": "{}", "policy": {"alpha": 0.1, "alpha": 0.2}}',
    ],
    ids=[
        *("cut", "bytes", "latin", "surrogate", "bom", "utf16", "deep", "deeper", "quotes"),
        *("comma", "two", "digits", "twice", "twice-inside"),
    ],
)
def test_what_is_no_json_is_400(body: bytes) -> None:
    """Two readers must not understand two things."""
    assert problem_of(passing_door().raw(body)) == (400, "body")


def test_a_name_that_comes_twice_is_named() -> None:
    """It is hard to see in a template."""
    told = passing_door().raw('{"service": "a", "canary": "{}", "canary": "{}"}')
    assert "'canary' comes twice" in told.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"x"', b"1", b"true"])
def test_what_is_no_object_is_422(body: bytes) -> None:
    """And says that an object is wanted."""
    assert problem_of(passing_door().raw(body)) == (422, "body")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense"]
)
def test_another_content_type_is_refused_and_says_which(kind: str) -> None:
    """A browser's form cannot post a question."""
    told = passing_door().raw(json.dumps(QUESTION), kind=kind)
    assert problem_of(told) == (422, "body")
    assert "application/json" in told.json()["detail"]


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/vnd.x+json"])
def test_kinds_of_json_are_read(kind: str) -> None:
    """As clients write them."""
    assert passing_door().raw(json.dumps(QUESTION), kind=kind).status_code == 200


def test_a_deep_value_where_none_belongs_is_refused() -> None:
    """Four hundred levels are good JSON and no policy."""
    deep = '{"a":' * 400 + "1" + "}" * 400
    body = f'{{"service": "checkout", "canary": "{{}}", "policy": {deep}}}'
    assert problem_of(passing_door().raw(body)) == (422, "policy.a")
