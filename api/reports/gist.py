"""A report in a few lines: for its first page, a picture and a message."""

from __future__ import annotations

from api.reports.telling import when_text
from api.reports.words import Wall, capital
from detector.capacity.assessed import Assessment
from detector.capacity.report import Report
from detector.reports.state import State, state_of

__all__ = ["gist_of", "sentence_of"]

_NAMED = 3
_URGENT = frozenset({State.OUT, State.LIKELY, State.POSSIBLE})


def gist_of(report: Report, wall: Wall) -> tuple[str, ...]:
    """How many run out, then the most urgent ones with their days; never empty."""
    if not report.assessments:
        return ("No resource was found that could be told of.",)
    urgent = [one for one in report.assessments if state_of(one) in _URGENT]
    named = tuple(_named(one, wall) for one in urgent[:_NAMED])
    return (*report.summary[:1], *named) or ("Nothing is seen to run out.",)


def _named(told: Assessment, wall: Wall) -> str:
    return f"{capital(told.identity.title)} {_verb(told)} {when_text(told, wall)}."


def sentence_of(told: Assessment, wall: Wall) -> str:
    """How one resource stands, as one says it of it."""
    when = when_text(told, wall)
    match state_of(told):
        case State.UNKNOWN:
            return f"It is not known when this runs out: {when}."
        case State.LASTS:
            return f"It does not run out {when.removeprefix('not ')}."
    return f"It {_verb(told)} {when}."


def _verb(told: Assessment) -> str:
    """What is only possible says so in its own words."""
    state = state_of(told)
    return State.LIKELY.value if state is State.POSSIBLE else state.value
