"""A backtest as one page that stands alone: to be mailed, or kept with the decision it led to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from api.assets import source_of
from api.templating import inlined, templates_of
from detector.backtest.course import Course, Poll
from detector.backtest.score import score
from detector.backtest.words import minutes, total_rows
from detector.gate.verdict import Outcome

__all__ = ["backtest_page"]

_ROW_PX, _FRAME_PX = 22, 110
_LEVELS = {Outcome.PASS: 0, Outcome.INCONCLUSIVE: 1, Outcome.FAIL: 2}
_COLOURS = ("@pass", "@wait", "@fail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One figure and its words."""

    id: str
    title: str
    about: str
    figure: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One rollout under one policy."""

    outcome: str
    passed: str
    failed: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One rollout."""

    line: str
    name: str
    canary: str
    began: str
    truth: str
    judged: tuple[Judged, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the page shows."""

    title: str
    about: str
    policies: tuple[str, ...]
    totals: tuple[tuple[str, ...], ...]
    charts: tuple[Chart, ...]
    rows: tuple[Row, ...]


def backtest_page(
    names: Sequence[str], columns: Sequence[Sequence[Course]], *, every_s: float
) -> str:
    """The whole page, its styles and scripts within; nothing is fetched from anywhere."""
    view = _view(names, columns, every_s)
    figures = [chart.figure for chart in view.charts]
    return (
        templates_of("api.ui")
        .get_template("backtest.html")
        .render(
            view=view,
            figures=inlined(figures),
            style=source_of("page.css"),
            script=source_of("page.js"),
            plotly=source_of("plotly.js"),
        )
    )


def _view(names: Sequence[str], columns: Sequence[Sequence[Course]], every_s: float) -> View:
    totals = [total_rows(score(courses)) for courses in columns]
    rollouts = len(columns[0])
    return View(
        title=f"Backtest of {rollouts} rollout{'s' if rollouts != 1 else ''}",
        about=f"Each was asked about every {every_s:g} s, as a controller would have done then.",
        policies=tuple(names),
        totals=tuple(
            (first[0], first[1], *(words for _, words in others))
            for first, *others in zip(*totals, strict=True)
        ),
        charts=tuple(
            _timeline(number, name, courses)
            for number, (name, courses) in enumerate(zip(names, columns, strict=True))
        ),
        rows=tuple(_row(row) for row in zip(*columns, strict=True)),
    )


def _row(row: Sequence[Course]) -> Row:
    of = row[0].rollout
    return Row(
        line=str(of.line or ""),
        name=of.name,
        canary=of.request.canary,
        began=datetime.fromtimestamp(of.start, UTC).strftime("%Y-%m-%d %H:%M"),
        truth="unknown" if of.truth is None else of.truth.value,
        judged=tuple(_judged(course) for course in row),
    )


def _judged(course: Course) -> Judged:
    last = course.last
    if not course.is_judged or last is None:
        return Judged(outcome="unread", passed="–", failed="–", why=course.problem or "")
    return Judged(
        outcome=course.end.value,
        passed=_since(course, course.first_pass),
        failed=_since(course, course.first_fail),
        why=last.reason.text,
    )


def _since(course: Course, poll: Poll | None) -> str:
    return "–" if poll is None else f"{minutes(poll.at - course.rollout.start)} min"


def _timeline(number: int, name: str, courses: Sequence[Course]) -> Chart:
    """A row for each rollout, a cell for each poll."""
    about = "Minutes from each rollout's start: green pass, amber undecided, red fail."
    return Chart(
        id=f"timeline{number}",
        title=f"What policy {name} would have answered",
        about=about,
        figure={
            "id": f"timeline{number}",
            "data": [_cells(courses)],
            "layout": {
                "height": _FRAME_PX + _ROW_PX * len(courses),
                "margin": {"l": 150, "r": 16, "t": 12, "b": 48},
                "dragmode": False,
                "xaxis": {"title": {"text": "minutes"}, "gridcolor": "@grid", "fixedrange": True},
                "yaxis": {
                    "autorange": "reversed",
                    "fixedrange": True,
                    "type": "category",
                    "automargin": True,
                },
            },
        },
    )


def _cells(courses: Sequence[Course]) -> dict[str, Any]:
    at = sorted({_minute(course, poll) for course in courses for poll in course.polls})
    answers = [{_minute(c, poll): poll for poll in c.polls} for c in courses]
    scale = [[bound / 3, _COLOURS[level]] for level in range(3) for bound in (level, level + 1)]
    return {
        "type": "heatmap",
        "x": at,
        "y": [_label(course) for course in courses],
        "z": [[_level(row.get(x)) for x in at] for row in answers],
        "text": [[_told(row.get(x)) for x in at] for row in answers],
        "hovertemplate": "%{y}, minute %{x}: %{text}<extra></extra>",
        "colorscale": scale,
        "zmin": -0.5,
        "zmax": 2.5,
        "showscale": False,
        "xgap": 1,
        "ygap": 3,
    }


def _minute(course: Course, poll: Poll) -> float:
    return round((poll.at - course.rollout.start) / 60, 2)


def _label(course: Course) -> str:
    of = course.rollout
    line = f"{of.line} " if of.line else ""
    truth = "" if of.truth is None else f", {of.truth.value}"
    return f"{line}{of.name}{truth}"


def _level(poll: Poll | None) -> int | None:
    return None if poll is None else _LEVELS[poll.outcome]


def _told(poll: Poll | None) -> str:
    return "" if poll is None else f"{poll.outcome.value}, {poll.reason.code}"
