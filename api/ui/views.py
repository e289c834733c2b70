"""What the page of a rollout shows, made from what the gate knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.strict import strict_json
from api.ui.asides import commands, decided_by_people, facts_of
from api.ui.beside import Beside
from api.ui.figures import Figure, curve_figure, evidence_figure, figure_title, marks
from api.ui.headline import Headline, headline, notices
from api.ui.lines import Line, line_figures, lines_of
from api.ui.rows import Row, row_of
from api.ui.shifts import ShiftsView, shifts_view
from api.ui.story import Moment, story
from api.ui.wording import day_clock, value_text
from detector.gate.attempt import Attempt
from detector.gate.curve import Curve
from detector.gate.decision import ModeChange
from detector.gate.verdict import Verdict
from pipelines.flows.records import Rollout

__all__ = ["Chart", "RolloutView", "rollout_view"]

# A page looks again as often as there can be something new: bins are as long as scrapes.
_REFRESH_S, _REFRESH_LEAST_S = 15.0, 2.0
_TABLE_ROWS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A figure's place, and its newest values for who cannot see it."""

    id: str
    title: str
    rows: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutView:
    """A rollout's page; `figures` is JSON that cannot end the script element it stands in."""

    name: str
    service: str
    revision: str
    attempt: str
    heading: Headline | None
    notices: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    lines: tuple[Line, ...]
    shifts: ShiftsView | None
    charts: tuple[Chart, ...]
    no_charts: str
    figures: str
    moments: tuple[Moment, ...]
    older: str | None
    is_older: bool
    overrides: tuple[str, ...]
    commands: tuple[tuple[str, str], ...]
    verdict: str | None
    near: float
    refresh_s: float


def rollout_view(
    newest: Rollout,
    shown: Rollout,
    modes: tuple[ModeChange, ...],
    curves: Sequence[Curve],
    *,
    beside: Beside | None,
    no_charts: str,
    base: str,
    now: float,
) -> RolloutView:
    """The page of an attempt; `shown` holds the part of its timeline that is read.

    Without `beside` it is the page of an older part.
    """
    attempt, is_older = newest.attempt, beside is None
    verdict = newest.page.verdicts[0] if newest.page.verdicts else None
    near = verdict.as_of.timestamp() if verdict else attempt.asked_at
    whole = not is_older and shown.page.next is None
    moments = story(attempt, shown.page.verdicts, shown.overrides, modes, whole=whole)
    lines = () if beside is None else lines_of(verdict, beside, near=near)
    charts, figures = _charts(() if is_older else curves, verdict, shown.page.verdicts, moments)
    if beside is not None:
        figures += line_figures(beside, lines)
    return RolloutView(
        name=_name(attempt),
        service=attempt.identity.service,
        revision=attempt.revision or "",
        attempt=attempt.id,
        heading=None if verdict is None else headline(verdict, newest, now),
        notices=notices(newest, modes, now),
        facts=facts_of(attempt, verdict, now),
        rows=tuple(row_of(signal, near=near) for signal in verdict.signals) if verdict else (),
        notes=verdict.notes if verdict else (),
        lines=lines,
        shifts=None if beside is None else shifts_view(beside.compared),
        charts=charts,
        no_charts=no_charts or _no_charts(attempt),
        figures=_script_safe(figures),
        moments=moments,
        older=shown.page.next,
        is_older=is_older,
        overrides=decided_by_people(newest, now),
        commands=commands(attempt, verdict, base),
        verdict=None if verdict is None else verdict.id,
        near=near,
        refresh_s=0.0 if is_older or (verdict and verdict.final) else _refresh_s(attempt),
    )


def _name(attempt: Attempt) -> str:
    """`checkout v2.3.1`, with the rollout where it is called otherwise."""
    identity = attempt.identity
    own = identity.rollout if identity.rollout not in (None, identity.service) else None
    return " ".join(word for word in (identity.service, own, attempt.revision) if word)


def _refresh_s(attempt: Attempt) -> float:
    return max(_REFRESH_LEAST_S, _REFRESH_S * attempt.policy.time_scale)


def _charts(
    curves: Sequence[Curve],
    verdict: Verdict | None,
    verdicts: Sequence[Verdict],
    moments: Sequence[Moment],
) -> tuple[tuple[Chart, ...], list[Figure]]:
    charts, figures = [], []
    signals = {signal.name: signal for signal in verdict.signals} if verdict else {}
    begin, end = _span(curves, verdicts)
    marked = marks(moments, begin=begin, end=end)
    for curve in curves:
        charts.append(Chart(id=curve.signal, title=figure_title(curve), rows=_table(curve)))
        figures.append(curve_figure(curve, signals.get(curve.signal), marked))
    evidence = evidence_figure(verdicts, marked) if curves else None
    if evidence is not None:
        words = "Evidence of harm, per cent of what a fail needs"
        charts.insert(0, Chart(id="evidence", title=words))
        figures.insert(0, evidence)
    for figure in figures:
        figure["layout"]["xaxis"]["range"] = [1000 * begin, 1000 * end]
    return tuple(charts), figures


def _span(curves: Sequence[Curve], verdicts: Sequence[Verdict]) -> tuple[float, float]:
    """From the first point to the newest point or verdict: the same on all charts."""
    if not curves:
        return 0.0, 0.0
    ends = [float(curve.times[-1]) for curve in curves]
    ends += [verdict.as_of.timestamp() for verdict in verdicts[:1]]
    return min(float(curve.times[0]) for curve in curves), max(ends)


def _table(curve: Curve) -> tuple[tuple[str, str, str], ...]:
    """The newest points, newest first."""
    points = list(zip(curve.times, curve.canary, curve.control, strict=True))[-_TABLE_ROWS:]
    near = float(curve.times[-1])
    return tuple(
        (
            day_clock(float(at), near=near),
            value_text(float(canary), curve.unit),
            value_text(float(control), curve.unit),
        )
        for at, canary, control in reversed(points)
    )


def _script_safe(figures: Sequence[Figure]) -> str:
    """JSON in which no text can end a script element or begin a comment."""
    text = strict_json(list(figures)).decode()
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _no_charts(attempt: Attempt) -> str:
    if attempt.plan is None:
        return "No series of the canary has been seen yet, so there is nothing to draw."
    if attempt.head:
        return "There is nothing to draw yet, or the samples are gone: they are kept 30 days."
    return "No sample has been read yet, so there is nothing to draw."
