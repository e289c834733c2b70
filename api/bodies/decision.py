"""What people decide: overrides and break-glass modes, as JSON."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from api.bodies.loose import Strict, Word, needed
from detector.gate.decision import ModeChange, Override
from detector.gate.policy import Mode
from detector.gate.render import utc_text
from detector.gate.verdict import Outcome

__all__ = ["ModeBody", "OverrideBody", "Span", "mode_body", "override_body", "seconds_of"]

_SPAN = re.compile(r"(\d{1,9})([smhd])")
_SHOWN = 60
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds_of(text: str) -> float:
    """Seconds of a span such as `90s`, `2h` or `1h30m`; `ValueError` for anything else."""
    parts = _SPAN.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError("is no span of time: write 90s, 45m, 2h or 1d")
    return float(sum(int(number) * _UNIT_S[unit] for number, unit in parts))


def _span(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return seconds_of(value.strip())
    except ValueError as error:
        raise ValueError(f"{value[:_SHOWN]!r} {error}") from error


def _at_most_30_days(value: float) -> float:
    if not 0 < value <= 30 * 86_400:
        raise ValueError("must be above zero and at most 30 days")
    return value


Span = Annotated[
    float,
    BeforeValidator(_span, json_schema_input_type=str),
    Field(strict=True, allow_inf_nan=False),
    AfterValidator(_at_most_30_days),
]
Needed = Annotated[Word, AfterValidator(needed)]


class OverrideBody(Strict):
    """A person decides for an attempt; it is written down and expires."""

    outcome: Outcome = Field(description="The decision.", examples=["pass"])
    person: Needed = Field(description="Who decides.", examples=["ada@example.org"])
    reason: Needed = Field(description="Why.", examples=["Known noise of the new cache; INC-42"])
    for_s: Span = Field(
        alias="for", description="How long it stands, at most 30 days.", examples=["2h"]
    )


class ModeBody(Strict):
    """Break-glass: what controllers are told, for a service or for all, for a while."""

    mode: Mode | None = Field(
        description="The mode; null ends the one in force.", examples=["shadow"]
    )
    service: Word = Field(None, description="The service.", examples=["checkout"])
    all: bool = Field(False, description="True for all services; then give no service.")
    person: Needed = Field(description="Who decides.", examples=["ada@example.org"])
    reason: Needed = Field(description="Why.", examples=["Prometheus is being moved"])
    for_s: Span = Field(
        alias="for", description="How long it stands, at most 30 days.", examples=["2h"]
    )


def override_body(override: Override) -> dict[str, Any]:
    """An override as JSON."""
    return {
        "attempt": override.attempt,
        "outcome": override.outcome.value,
        "person": override.person,
        "reason": override.reason,
        "at": _text(override.at),
        "until": _text(override.until),
    }


def mode_body(change: ModeChange) -> dict[str, Any]:
    """A break-glass mode as JSON."""
    return {
        "service": change.service,
        "mode": change.mode.value if change.mode is not None else None,
        "person": change.person,
        "reason": change.reason,
        "at": _text(change.at),
        "until": _text(change.until),
    }


def _text(at: float) -> str | None:
    return utc_text(datetime.fromtimestamp(at, UTC))
