"""What people say of anomalies of lines: a template that is normal is not told of again."""

from __future__ import annotations

from detector.logs.lines import Level
from detector.logs.novelty import TOLD_WEIGHT, close_story, closed
from detector.logs.rows import FREE
from detector.logs.state import LogState
from detector.stream.anomaly import AnomalyKind, Ending, Happened, Judged
from detector.stream.columns import SeriesInfo
from detector.stream.feedback import MOST, Feedback, Tuning, still_meant

__all__ = ["told"]


def told(
    state: LogState, feedback: Feedback
) -> tuple[LogState, tuple[Happened, ...], tuple[Tuning, ...]]:
    """The state after feedback, what happened, and what became of the templates.

    The same as `detector.stream.feedback.told` for metrics. A template that was called normal is
    never new, and its silence is none, until somebody calls an anomaly of it real. New lines that
    are normal make such stories of the service more usual, those that are real less.
    """
    meant = still_meant(feedback, lambda row: _named(state, row))
    rows = [row for row in meant.series if _named(state, row) is not None]
    is_normal = feedback.judged is Judged.NORMAL
    for row in rows:
        state.rows["silenced"][row] = is_normal
        state.rows["normal" if is_normal else "real"][row] += 1
    _weigh(state, feedback, is_normal=is_normal)
    happened = _closed(state, feedback) if is_normal else ()
    return state, happened, tuple(_tuning(state, row) for row in rows)


def _closed(state: LogState, feedback: Feedback) -> tuple[Happened, ...]:
    key = next((key for key, one in state.open.items() if one.id == feedback.anomaly), None)
    if key is None:
        return ()
    return (closed(state, key, feedback.at, Ending.FEEDBACK),)


def _weigh(state: LogState, feedback: Feedback, *, is_normal: bool) -> None:
    """Count a story of new lines as one by chance, or not as one."""
    every = (*state.open.values(), *state.resting.values())
    one = next((one for one in every if one.id == feedback.anomaly), None)
    if one is None or one.kind is not AnomalyKind.LOG_NOVELTY:
        return
    story = state.stories.get(one.service)
    if story is not None and story.is_told:
        story.is_told, story.is_counted = not is_normal, story.is_counted and is_normal
        if is_normal:
            close_story(state, one.service, story)
        return
    lines = [0] * len(Level)
    for noted in one.noted.values():
        lines[noted.level] += noted.note.count
    weight = 1 - TOLD_WEIGHT if is_normal else -TOLD_WEIGHT
    state.services.told(one.service, one.is_deploy, lines, weight=weight)


def _named(state: LogState, row: int) -> SeriesInfo | None:
    is_one = 0 <= row < state.rows.size and int(state.rows["service"][row]) != FREE
    return state.series(row) if is_one else None


def _tuning(state: LogState, row: int) -> Tuning:
    """A template is silenced or it is not: there is nothing in between."""
    return Tuning(
        series=row,
        shift=MOST if state.rows["silenced"][row] else 0.0,
        normal=int(state.rows["normal"][row]),
        real=int(state.rows["real"][row]),
    )
