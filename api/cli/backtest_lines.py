"""The list of past rollouts: one JSON object a line, each a question with what became of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError

from api.bodies.loose import Moment, Number, Strict, finite
from api.bodies.verdict import VerdictBody
from detector.backtest.course import PastRollout, Truth
from detector.backtest.flaws import Flaw
from detector.errors import InputError
from detector.gate.attempt import Weight
from detector.gate.reason import SIGNAL_NAMES
from detector.gate.request import VerdictRequest

__all__ = ["Line", "lines_of"]

_MOST = 100_000
_SIGNALS = "policy.signals"


class WeightStep(Strict):
    """The canary's weight from a moment on."""

    at: Moment
    weight: Annotated[Number, AfterValidator(finite(ge=0, le=100))]


class LineBody(VerdictBody):
    """A question of a rollout that is over, with what is known of it."""

    truth: Truth | None = Field(None, description="What it was, as people know it today.")
    effect_at: Moment = Field(None, description="When its harm began.")
    weights: list[WeightStep] | None = Field(None, description="What weight was told when.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One good line; its start may still have to be looked for."""

    number: int
    request: VerdictRequest
    end: float
    truth: Truth | None
    effect_at: float | None
    weights: tuple[Weight, ...]

    def rollout(self, start: float) -> PastRollout:
        """The rollout, now that its start is known."""
        asked = self.request
        return PastRollout(
            request=asked,
            start=start,
            end=self.end,
            truth=self.truth,
            effect_at=self.effect_at,
            weights=self.weights,
            line=self.number,
            name=" ".join(filter(None, (asked.service, asked.revision or asked.rollout))),
        )


def lines_of(file: Path) -> tuple[list[Line], list[Flaw]]:
    """The good lines of a file and what is wrong with the others; `InputError` for no file."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is not text"
        raise InputError(f"{file}: {why}", field="rollouts") from error
    good: list[Line] = []
    flaws: list[Flaw] = []
    for number, line in enumerate(text.splitlines()[:_MOST], 1):
        if line.strip():
            _take(number, line, good.append, flaws)
    if not good and not flaws:
        raise InputError(f"{file} has no rollouts: write one JSON object a line", field="rollouts")
    return good, flaws


def _take(number: int, line: str, keep: Callable[[Line], None], flaws: list[Flaw]) -> None:
    try:
        keep(_line(number, json.loads(line)))
    except json.JSONDecodeError as error:
        text = f"is not JSON: {error.msg} at column {error.colno}"
        advice = "write one object a line, with service and canary"
        flaws.append(Flaw(line=number, field="", text=text, advice=advice))
    except ValidationError as error:
        flaws.extend(_explained(number, error))
    except InputError as error:
        flaws.append(Flaw(line=number, field=error.field, text=str(error), advice=""))


def _line(number: int, value: Any) -> Line:  # noqa: ANN401 - whatever JSON holds
    body = LineBody.model_validate(value)
    request = body.request()
    end = request.as_of or request.deadline
    if end is None:
        raise InputError(
            'this rollout never ended: give "deadline", or "as_of", the last moment to be asked'
            " about",
            field="deadline",
        )
    return Line(
        number=number,
        request=request,
        end=end.timestamp(),
        truth=body.truth,
        effect_at=_seconds(body.effect_at),
        weights=tuple(_weights(body.weights or ())),
    )


def _weights(steps: Any) -> Iterator[Weight]:  # noqa: ANN401 - a list or nothing
    for step in sorted(steps, key=lambda one: _seconds(one.at) or 0.0):
        at = _seconds(step.at)
        if at is None or step.weight is None:
            raise InputError('each step needs "at" and "weight"', field="weights")
        yield Weight(at=at, weight=step.weight)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _explained(number: int, error: ValidationError) -> Iterator[Flaw]:
    """Each field that is wrong, with what was perhaps meant."""
    for one in error.errors():
        place = [str(part) for part in one["loc"] if part not in {"name", "inline"}]
        field = ".".join(place)
        words = str(one["msg"]).removeprefix("Value error, ")
        advice = ""
        if one["type"] == "extra_forbidden":
            words, advice = "there is no such field", _nearest(place[-1], _known(place))
        elif one["type"] == "missing":
            words = "is missing"
        elif words.startswith("no signal is called"):
            field, advice = _SIGNALS, _nearest(words.split("'")[1], SIGNAL_NAMES)
        elif not place:
            words = "is no JSON object"
        yield Flaw(line=number, field=field, text=words, advice=advice)


def _known(place: list[str]) -> tuple[str, ...]:
    if len(place) == 1:
        return tuple(LineBody.model_fields)
    from api.bodies.policy import PolicyBody, SignalPolicyBody

    return tuple(PolicyBody.model_fields if len(place) == 2 else SignalPolicyBody.model_fields)


def _nearest(word: str, known: tuple[str, ...]) -> str:
    found = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {found[0]!r}?" if found else f"there are {', '.join(known)}"
