"""The question over HTTP: every way in which there is no answer is one kind of error."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest

from api.demo.gate import Answer, Gate, GateError, Question
from api.demo.web import Exchange, Reply, listen, serving
from tests.api.demo.stand import web

QUESTION = Question(
    service="checkout",
    namespace="shop",
    rollout="checkout",
    revision="v2",
    canary="{a='b'}",
    control="{a='c'}",
    policy={},
    weight=15,
    stage="step",
)
BRIEF = {
    "id": "7",
    "answer": "fail",
    "outcome": "fail",
    "final": True,
    "reason": {"code": "error_rate_up", "text": "Errors", "more": 1},
    "needs": {"requests": None, "seconds": 3, "canary_pods": None},
    "links": {"self": "/v1/verdicts/7", "ui": "/rollouts/5"},
}


def asked(reply: Reply) -> Answer:
    async def ask() -> Answer:
        async with web(reply) as (port, _), Gate(f"http://127.0.0.1:{port}") as gate:
            return await gate.ask(QUESTION)

    return asyncio.run(ask())


def test_a_brief_verdict_is_read() -> None:
    """What is not needed is passed over, so a newer gate can say more."""
    answer = asked(Reply(200, msgspec.json.encode(BRIEF)))
    assert (answer.answer, answer.final, answer.reason.code) == ("fail", True, "error_rate_up")
    assert (answer.needs.seconds, answer.links.ui) == (3, "/rollouts/5")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(503, b'{"detail": "overloaded"}'), "status 503: overloaded"),
        (Reply(502, b"<html>bad gateway"), "status 502: <html>bad gateway"),
        (Reply(200, b"<html>"), "the answer is no verdict"),
        (Reply(200, b'{"answer": "pass"}'), "the answer is no verdict: .*missing.*outcome"),
        (Reply(200, b'{"answer": 1}'), "the answer is no verdict"),
        (Reply(200, b"\xff\xfe"), "the answer is no verdict"),
        (Reply(404, b"\xff"), "status 404"),
    ],
    ids=["problem", "proxy", "html", "half", "wrong-type", "bytes", "no-text"],
)
def test_what_is_no_verdict_is_no_answer(reply: Reply, words: str) -> None:
    """Above all it is no pass."""
    with pytest.raises(GateError, match=words):
        asked(reply)


def test_nobody_there_is_no_answer() -> None:
    """A gate that is down is told in words."""

    async def ask() -> Answer:
        with listen() as taken:
            port = taken.getsockname()[1]
        async with Gate(f"http://127.0.0.1:{port}") as gate:
            assert not await gate.is_ready()
            return await gate.ask(QUESTION)

    with pytest.raises(GateError, match=r"(?i)connect"):
        asyncio.run(ask())


def test_a_slow_gate_is_no_answer() -> None:
    """The rollout does not hang with it."""

    async def ask() -> Answer:
        async def respond(_: Exchange) -> Reply:
            await asyncio.Event().wait()
            return Reply()

        async with (
            serving(respond, listen()) as port,
            Gate(f"http://127.0.0.1:{port}", timeout_s=0.2) as gate,
        ):
            return await gate.ask(QUESTION)

    with pytest.raises(GateError, match=r"no answer within 0\.2 s"):
        asyncio.run(ask())


def test_ready_is_what_the_gate_says() -> None:
    """503 is not ready, 200 is."""

    async def look(status: int) -> bool:
        async with web(Reply(status)) as (port, _), Gate(f"http://127.0.0.1:{port}") as gate:
            return await gate.is_ready()

    assert asyncio.run(look(200))
    assert not asyncio.run(look(503))


def shift(text: str, **more: object) -> dict[str, object]:
    """A difference, as the comparison of two versions has it."""
    known = {"text": text, "difference_s": 0.1, "is_certain": True, "is_total": False}
    return known | {"entry": "GET /cart"} | more


def compared(*replies: Reply) -> tuple[tuple[str, ...], list[Exchange]]:
    """What is told of where time goes, and what was asked for it."""

    async def ask() -> tuple[tuple[str, ...], list[Exchange]]:
        since = datetime(2026, 11, 27, tzinfo=UTC)
        async with (
            web(*replies) as (port, asked),
            Gate(f"http://127.0.0.1:{port}", again_s=0.0) as gate,
        ):
            told = await gate.slower("checkout", canary="v3", control="v1", since=since)
            return told, asked

    return asyncio.run(ask())


SHIFTS = Reply(
    200,
    msgspec.json.encode(
        {
            "service": "checkout",
            "shifts": [
                shift("the request as a whole", is_total=True),
                shift("in the query"),
                shift("may be chance", is_certain=False),
                shift("less than before", difference_s=-0.1),
                shift("next to nothing", difference_s=0.001),
                shift("in a call"),
            ],
        }
    ),
)


def test_only_what_is_certain_and_worth_a_word_is_told_of_traces() -> None:
    """One sentence that names the query says more than ten that may be chance."""
    told, [one] = compared(SHIFTS)
    assert told == ("in the query", "in a call")
    assert one.path == "/v1/services/checkout/comparison"


def test_a_stream_that_is_busy_is_asked_again() -> None:
    """Right after a rollout it has most to do."""
    told, asked = compared(Reply(503, b"{}"), Reply(503, b"{}"), SHIFTS)
    assert told == ("in the query", "in a call")
    assert len(asked) == 3


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(503, b"{}"), id="it stays busy"),
        pytest.param(Reply(404, b'{"detail": "there are no spans"}'), id="no spans"),
        pytest.param(Reply(200, b"<html>"), id="no JSON"),
    ],
)
def test_without_a_comparison_nothing_is_told_of_traces(reply: Reply) -> None:
    """A rollout has ended as it should, with traces or without."""
    told, _ = compared(reply)
    assert told == ()
