"""Log templates beside a verdict: what they say, how often on which side, and whether it is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.ui.beside import Beside, logs_of
from api.ui.figures import Figure, curve_figure
from api.ui.marked import Part, parts_of, plain_lines, shortened
from api.ui.rows import way
from api.ui.wording import amount, day_clock, evidence_text, value_text
from detector.gate.curve import Curve
from detector.gate.spoken import Course, Spoken
from detector.gate.verdict import Outcome, SignalVerdict, TemplateVerdict, Verdict
from detector.gate.vocabulary import OTHERS
from detector.logs.kept import KeptTemplate

__all__ = ["Line", "line_figures", "lines_of"]

_NEVER = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One template; `place` is the id of its part of the page, `chart` whether it has one there.

    `standing`: what it means for the verdict. `facts` by name.
    """

    id: str
    place: str
    standing: str
    outcome: Outcome
    level: str
    is_new: bool
    parts: tuple[Part, ...]
    sample: str
    canary: str
    control: str
    evidence: str
    evidence_share: float | None
    facts: tuple[tuple[str, str], ...]
    chart: bool


def lines_of(verdict: Verdict | None, beside: Beside, *, near: float) -> tuple[Line, ...]:
    """Those that the verdict tells of, in its order: what decided comes first."""
    logs = logs_of(verdict)
    if logs is None:
        return ()
    courses = {one.template: one for one in beside.spoken.courses}
    kept: dict[str, list[KeptTemplate]] = {}
    for row in beside.kept:
        kept.setdefault(row.id, []).append(row)
    made = []
    for number, one in enumerate(logs.templates):
        standing = _standing(logs, one, number)
        course = courses.get(one.id)
        facts = _facts(one, course, kept.get(one.id, ()), beside.spoken, near)
        made.append(_line(one, standing, facts, kept.get(one.id, ()), course))
    return tuple(made)


def _line(
    one: TemplateVerdict,
    standing: tuple[str, Outcome],
    facts: tuple[tuple[str, str], ...],
    kept: Sequence[KeptTemplate],
    course: Course | None,
) -> Line:
    text, sample = one.text, one.sample
    if kept and not text:
        text, sample = kept[0].text, kept[0].sample
    words, outcome = standing
    share = way(one.evidence, one.needed)
    return Line(
        id=one.id,
        place=_place(one.id),
        standing=words,
        outcome=outcome,
        level=_level(kept),
        is_new=one.is_new,
        parts=parts_of(text or _unnamed(one.id)),
        sample=plain_lines(sample) if sample and sample != text else "",
        canary=_counted(one.lines.canary, one.requests.canary),
        control=_counted(one.lines.control, one.requests.control),
        evidence="" if share is None else _evidence(one),
        evidence_share=share,
        facts=facts,
        chart=course is not None and course.curve is not None,
    )


def _place(id: str) -> str:
    return f"line-{id}"


def _unnamed(id: str) -> str:
    return "all rare templates together" if id == OTHERS else "(nobody kept what it says)"


def _evidence(one: TemplateVerdict) -> str:
    return f"{evidence_text(one.evidence or 0.0)} of {evidence_text(one.needed or 0.0)} needed"


def _level(kept: Sequence[KeptTemplate]) -> str:
    """The gravest that its lines came with."""
    return max(kept, key=lambda one: one.level).level.name.lower() if kept else ""


def _standing(logs: SignalVerdict, one: TemplateVerdict, number: int) -> tuple[str, Outcome]:
    """The first decided a fail, unless all lines together did; others stand out, or do not."""
    if logs.outcome is Outcome.FAIL and number == 0:
        word = "decided" if one.id in logs.reason.text else "did most of it"
        return word, Outcome.FAIL
    if (way(one.evidence, one.needed) or 0.0) >= 100:
        return "enough for a fail", Outcome.FAIL
    if (one.evidence or 0.0) > 1:
        return "stands out", Outcome.INCONCLUSIVE
    if logs.outcome is Outcome.PASS:
        return "no evidence of harm", Outcome.PASS
    return "no evidence yet", Outcome.INCONCLUSIVE


def _counted(lines: float, requests: float) -> str:
    if lines < _NEVER:
        return f"none in {amount(round(requests))} requests"
    share = value_text(lines / requests, "ratio") if requests > 0 else "–"
    return f"{amount(round(lines))} in {amount(round(requests))} requests ({share})"


def _facts(
    one: TemplateVerdict,
    course: Course | None,
    kept: Sequence[KeptTemplate],
    spoken: Spoken,
    near: float,
) -> tuple[tuple[str, str], ...]:
    """When it came on which side, and whether it was there before; what nobody knows is left out"""
    where = "all canary pods together" if one.scope == "arm" else f"pod {shortened(one.scope)}"
    known: list[tuple[str, str]] = []
    if course is not None and course.canary_first is not None:
        pods = f", on {course.pods} of {course.of} pods" if course.of else ""
        known.append(("First on the canary", f"{day_clock(course.canary_first, near=near)}{pods}"))
    if course is not None:
        known.append(("On the control", _control(one, course, spoken, near)))
    elif one.is_new:
        known.append(("On the control", "not once in the history before the rollout"))
    if kept:
        first = min(row.first for row in kept) / 1000
        known.append(("In the logs of the service", f"since {day_clock(first, near=near)}"))
    known.append(("Counted", f"since {day_clock(one.since.timestamp(), near=near)}, {where}"))
    return tuple(known)


def _control(one: TemplateVerdict, course: Course, spoken: Spoken, near: float) -> str:
    since = "" if spoken.since is None else f" since {day_clock(spoken.since, near=near)}"
    if course.control_last is None:
        return f"never{since}"
    last = f"last at {day_clock(course.control_last, near=near)}"
    if course.before > _NEVER:
        return f"known before: {amount(round(course.before))} lines{since}, {last}"
    return f"not before the rollout; {last}"


def line_figures(beside: Beside, lines: Sequence[Line]) -> list[Figure]:
    """A small chart for each template that has a curve."""
    curves = {one.template: one.curve for one in beside.spoken.courses}
    return [_figure(line.place, curve) for line in lines if (curve := curves.get(line.id))]


def _figure(place: str, curve: Curve) -> Figure:
    figure = curve_figure(curve, None, ())
    figure["id"] = place
    margin = {"l": 56, "r": 16, "t": 12, "b": 44}
    figure["layout"] |= {"height": 190, "margin": margin}
    return figure
