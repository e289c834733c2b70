"""A verdict as the HTTP interface tells it, decoded; a newer server may say more."""

from __future__ import annotations

import msgspec

from api.cli.guard import CouldNotAskError

__all__ = ["Effect", "Needs", "Reason", "Samples", "Signal", "Told", "told_of"]


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why."""

    code: str
    text: str


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """How much worse; `difference` of a ratio, or `ratio` (times)."""

    kind: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    tolerate: float | None = None
    limit: float | None = None


class Samples(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted."""

    canary: float | None = None
    control: float | None = None


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One signal."""

    name: str
    outcome: str
    required: bool = True
    judged: bool = True
    unit: str = ""
    canary: float | None = None
    control: float | None = None
    effect: Effect | None = None
    evidence: float | None = None
    needed: float | None = None
    samples: Samples = Samples()
    scope: str = "arm"
    since: str | None = None
    reason: Reason


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What a pass still lacks."""

    requests: int | None = None
    seconds: int | None = None
    canary_pods: int | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One verdict; `answer` is what to act on, `outcome` what was judged."""

    id: str
    outcome: str
    answer: str
    final: bool
    stage: str
    reason: Reason
    as_of: str
    attempt: str
    service: str
    policy: str
    engine: str
    mode: str
    started_at: str | None = None
    rollout: str | None = None
    revision: str | None = None
    signals: tuple[Signal, ...] = ()
    needs: Needs = Needs()
    waiting: str | None = None
    notes: tuple[str, ...] = ()


def told_of(body: bytes) -> Told:
    """The verdict in a body; `CouldNotAskError` for a body that holds none."""
    try:
        told = msgspec.json.decode(body, type=Told)
    except msgspec.DecodeError as error:
        raise CouldNotAskError(f"the answer is no verdict of serinus: {error}") from error
    if told.answer not in {"pass", "fail", "inconclusive"}:
        raise CouldNotAskError(f"the answer {told.answer[:40]!r} is none that this serinus knows")
    return told
