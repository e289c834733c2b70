"""The JSON body of a verdict, exactly as it is documented: every key, always, in strict JSON."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TypeAlias

from detector.gate.aa import AaSummary
from detector.gate.verdict import Effect, Samples, SignalVerdict, TemplateVerdict, Verdict
from detector.slo.policy import Spent

__all__ = ["Json", "utc_text", "verdict_body"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_DIGITS = 6


def verdict_body(verdict: Verdict, *, brief: bool) -> dict[str, Json]:
    """The body of `POST /v1/verdicts`; `brief` leaves out `signals`.

    Numbers have six significant digits, NaN and infinity are null, times are UTC with `Z`.
    """
    body: dict[str, Json] = {
        "id": verdict.id,
        "outcome": verdict.outcome.value,
        "answer": verdict.answer.value,
        "final": verdict.final,
        "stage": verdict.stage.value,
        "reason": {"code": str(verdict.reason.code), "text": verdict.reason.text},
        "as_of": utc_text(verdict.as_of),
        "started_at": utc_text(verdict.started_at),
        "exposure_since": utc_text(verdict.exposure_since),
        "attempt": verdict.attempt,
        "service": verdict.service,
        "rollout": verdict.rollout,
        "revision": verdict.revision,
        "policy": verdict.policy,
        "engine": verdict.engine,
        "mode": verdict.mode.value,
        "signals": [_signal(s) for s in verdict.signals],
        "needs": {
            "requests": verdict.needs.requests,
            "seconds": verdict.needs.seconds,
            "canary_pods": verdict.needs.canary_pods,
        },
        "waiting": verdict.waiting,
        "notes": list(verdict.notes),
        "budget": _budget(verdict),
        "aa": None if verdict.aa is None else _aa(verdict.aa),
        "links": {"self": f"/v1/verdicts/{verdict.id}", "ui": f"/rollouts/{verdict.attempt}"},
    }
    if brief:
        del body["signals"]
    return body


def _budget(verdict: Verdict) -> dict[str, Json] | None:
    """What is known of error budgets; null where the policy does not look at them."""
    if not verdict.spent:
        return None
    return {"limits": verdict.limits, "objectives": [_spent(one) for one in verdict.spent]}


def _spent(one: Spent) -> dict[str, Json]:
    budget = one.budget
    return {
        "name": one.name,
        "left": _number(budget.left),
        "bad": _number(budget.bad),
        "allowed": _number(budget.allowed),
        "total": _number(budget.total),
        "unknown": None if budget.flaw is None else budget.flaw.value,
    }


def _aa(found: AaSummary) -> dict[str, Json]:
    return {
        "at": utc_text(datetime.fromtimestamp(found.at, UTC)),
        "placebos": found.placebos,
        "failed": found.failed,
        "reached": found.reached,
        "raised": _number(found.raised),
    }


def utc_text(at: datetime | None) -> str | None:
    """ISO 8601 in UTC with `Z`; fractions of a second only where there are some."""
    if at is None:
        return None
    utc = at.astimezone(UTC)
    precision = "milliseconds" if utc.microsecond else "seconds"
    return utc.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def _signal(signal: SignalVerdict) -> dict[str, Json]:
    return {
        "name": signal.name,
        "outcome": signal.outcome.value,
        "required": signal.required,
        "judged": signal.judged,
        "unit": signal.unit,
        "canary": _number(signal.canary),
        "control": _number(signal.control),
        "effect": None if signal.effect is None else _effect(signal.effect),
        "evidence": _number(signal.evidence),
        "needed": _number(signal.needed),
        "samples": _sides(signal.samples),
        "scope": signal.scope,
        "since": utc_text(signal.since),
        "reason": {"code": str(signal.reason.code), "text": signal.reason.text},
        "details": {
            name: _number(value) if isinstance(value, float | int) else value
            for name, value in signal.details.items()
        },
        "templates": [_template(one) for one in signal.templates],
    }


def _template(one: TemplateVerdict) -> dict[str, Json]:
    """What is said of a kind of log line; its text and lines are data, and are escaped as such."""
    return {
        "id": one.id,
        "text": one.text,
        "sample": one.sample,
        "new": one.is_new,
        "lines": _sides(one.lines),
        "requests": _sides(one.requests),
        "scope": one.scope,
        "since": utc_text(one.since),
        "evidence": _number(one.evidence),
        "needed": _number(one.needed),
    }


def _sides(samples: Samples) -> dict[str, Json]:
    return {"canary": _number(samples.canary), "control": _number(samples.control)}


def _effect(effect: Effect) -> dict[str, Json]:
    return {
        "kind": effect.kind,
        "value": _number(effect.value),
        "low": _number(effect.low),
        "high": _number(effect.high),
        "tolerate": _number(effect.tolerate),
        "limit": _number(effect.limit),
    }


def _number(value: float | None) -> float | None:
    """Six significant digits; null for what JSON cannot say."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{_DIGITS}g}")
