"""Asks the gate over HTTP, as a rollout controller does."""

from __future__ import annotations

import asyncio
from datetime import datetime
from types import TracebackType

import httpx2
import msgspec

__all__ = ["Answer", "Gate", "GateError", "Needs", "Question", "Why"]

ANSWER_WITHIN_S = 10.0
# Less than that a request is no news.
WORTH_S = 0.01
BUSY, TRIES, AGAIN_S = 503, 5, 1.0


class GateError(Exception):
    """There was no answer that can be acted on."""


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of a question."""

    service: str
    namespace: str
    rollout: str
    revision: str
    canary: str
    control: str
    policy: dict[str, object]
    weight: float
    stage: str
    deadline: str | None = None


class Why(msgspec.Struct, frozen=True):
    """A reason."""

    code: str
    text: str


class Needs(msgspec.Struct, frozen=True):
    """What is missing for a pass; None where more of it cannot help."""

    requests: int | None = None
    seconds: int | None = None
    canary_pods: int | None = None


class Links(msgspec.Struct, frozen=True):
    """Where the verdict is shown."""

    ui: str = "/"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a controller reads of a brief verdict."""

    answer: str
    outcome: str
    final: bool
    reason: Why
    needs: Needs = Needs()
    links: Links = Links()


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a difference of time between two versions."""

    text: str
    difference_s: float
    is_certain: bool
    is_total: bool


class Comparison(msgspec.Struct, frozen=True):
    """Where requests of one version spend more time than those of another."""

    shifts: tuple[Shift, ...] = ()


class Problem(msgspec.Struct, frozen=True):
    """What is read of a problem+json."""

    detail: str


class Gate:
    """A gate at a base address; use it in an `async with` block."""

    def __init__(
        self, url: str, *, timeout_s: float = ANSWER_WITHIN_S, again_s: float = AGAIN_S
    ) -> None:
        self.url = url
        self.again_s = again_s
        self.timeout_s = timeout_s
        self._client = httpx2.AsyncClient(base_url=url, timeout=timeout_s, trust_env=False)

    async def __aenter__(self) -> Gate:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def ask(self, question: Question) -> Answer:
        """Its answer; `GateError` when there is none in time, or it is no verdict."""
        try:
            async with asyncio.timeout(self.timeout_s):
                response = await self._client.post(
                    "/v1/verdicts",
                    params={"view": "brief"},
                    content=msgspec.json.encode(question),
                    headers={"Content-Type": "application/json", "Accept": "application/json"},
                )
        except TimeoutError:
            raise GateError(f"no answer within {self.timeout_s:g} s") from None
        except httpx2.HTTPError as error:
            raise GateError(str(error) or type(error).__name__) from error
        return _decode(response)

    async def slower(
        self, service: str, *, canary: str, control: str, since: datetime
    ) -> tuple[str, ...]:
        """In which calls the canary's requests spend more time, in sentences, the worst first.

        Nothing where that is not certain, or where there are no traces.
        """
        asked = {"canary": canary, "control": control, "since": since.isoformat()}
        for _ in range(TRIES):
            try:
                found = await self._compared(f"/v1/services/{service}/comparison", asked)
            except (httpx2.HTTPError, msgspec.DecodeError):
                return ()
            if found is not None:
                worth = [one for one in found.shifts if one.is_certain and not one.is_total]
                return tuple(one.text for one in worth if one.difference_s > WORTH_S)
            await asyncio.sleep(self.again_s)
        return ()

    async def _compared(self, path: str, asked: dict[str, str]) -> Comparison | None:
        """A comparison, None where the stream is too busy to look now."""
        response = await self._client.get(path, params=asked)
        if response.status_code == BUSY:
            return None
        return msgspec.json.decode(response.content, type=Comparison)

    async def is_ready(self) -> bool:
        """Whether it can answer rightly now."""
        try:
            response = await self._client.get("/readyz", timeout=2.0)
        except httpx2.HTTPError:
            return False
        return response.is_success


def _decode(response: httpx2.Response) -> Answer:
    if not response.is_success:
        raise GateError(f"status {response.status_code}: {_problem(response.content)}")
    try:
        return msgspec.json.decode(response.content, type=Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GateError(f"the answer is no verdict: {error}") from error


def _problem(body: bytes) -> str:
    """The detail of a problem, else the beginning of whatever it is."""
    try:
        return msgspec.json.decode(body, type=Problem).detail
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body[:200].decode("utf-8", errors="replace")
