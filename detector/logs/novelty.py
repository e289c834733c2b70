"""Lines that nobody wrote before, where that is rarer than the alarms that are accepted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from detector.logs.levels import level_before
from detector.logs.lines import Level
from detector.logs.state import LogState
from detector.logs.story import Noted, Story, Telling
from detector.stream.anomaly import (
    AnomalyKind,
    Ending,
    Happened,
    Happening,
    LineNote,
    Severity,
    Side,
    anomaly_id,
)
from detector.stream.suppression import planned

__all__ = ["TOLD_WEIGHT", "began", "came", "close_story", "closed", "judged", "over"]

# The part of the alarms that a service may tell by chance, by level: whoever is woken by a new line
# of a level that is written for people who look is woken less often.
_SHARES: Mapping[int, float] = {
    Level.FATAL: 1.0, Level.ERROR: 1.0, Level.WARN: 0.25, Level.INFO: 0.05, Level.UNKNOWN: 0.05,
    Level.DEBUG: 0.01, Level.TRACE: 0.01,
}  # fmt: skip
_GRAVEST_FIRST = sorted(Level, reverse=True)
# Templates of a story that are kept; all are counted.
_MOST_ROWS = 200
# A story that was told is taken for one by chance by half, until somebody says what it was: with 1
# two incidents in a week kept the third from being told (bench/logs/detectors).
TOLD_WEIGHT = 0.5
# So many lines at once, or templates at once, are more than one mishap.
_MANY_LINES, _MANY_TEMPLATES = 1000, 3


def began(state: LogState, row: int, at: int) -> None:
    """A template is new: it begins a story of its service, or goes on with it."""
    service = int(state.rows["service"][row])
    if service not in state.stories:
        age = at - int(state.services["first"][service])
        learn, deploy = state.settings.learn_s * 1000, state.settings.deploy_s * 1000
        state.stories[service] = Story(
            start=at,
            newest=at,
            is_deploy=0 <= at - int(state.services["deployed"][service]) <= deploy,
            is_learned=age >= learn,
            is_counted=age > learn / 2,
        )
    story = state.stories[service]
    story.newest = max(story.newest, at)
    if len(story.rows) < _MOST_ROWS:
        story.rows.append(row)
        state.rows["young"][row] = True


def came(state: LogState, row: int, count: int, at: int) -> None:
    """Lines came of a template that is part of a story, or of an open anomaly."""
    service = int(state.rows["service"][row])
    story = state.stories.get(service)
    if state.rows["young"][row] and story is not None:
        story.lines[int(state.rows["level"][row])] += count
    telling = state.open.get((AnomalyKind.LOG_NOVELTY, service))
    if telling is not None and row in telling.noted:
        telling.came(row, count, at)


def judged(state: LogState, services: Iterable[int], at: int) -> Iterator[Happened]:
    """What is to be told of the stories of some services as they are."""
    for service in services:
        story = state.stories.get(service)
        key = AnomalyKind.LOG_NOVELTY, service
        if story is not None and story.is_learned:
            yield from _told(state, service, story, at)
        if key in state.open and state.open[key].has_grown():
            yield _event(state, state.open[key], Happening.GREW, at)


def _told(state: LogState, service: int, story: Story, at: int) -> Iterator[Happened]:
    key = AnomalyKind.LOG_NOVELTY, service
    fresh = [row for row in story.rows if not state.rows["noted"][row]]
    fresh = [row for row in fresh if not state.rows["silenced"][row]]
    if not fresh:
        return
    rate = _rarest(state, service, story)
    if rate is None and key not in state.open:
        return
    if planned(state.windows, state.subject(service, key[0]), at) is not None:
        # What is planned does not come by chance.
        story.is_counted = False
        return
    telling, kind = _telling(state, service, fresh, at)
    story.is_told, telling.is_deploy = True, story.is_deploy
    for row in fresh:
        _note(state, telling, row, rate, at)
    telling.severity = max((telling.severity, _severity(telling, story)), key=lambda one: one.rank)
    if kind is not Happening.GREW:
        yield _event(state, telling, kind, at)


def _rarest(state: LogState, service: int, story: Story) -> float | None:
    """How often a week the service tells so much by chance, where that is rare enough."""
    for level in _GRAVEST_FIRST:
        lines = story.lines[level]
        if not lines:
            continue
        rate = state.services.rate(service, story.is_deploy, level, lines)
        if rate <= state.settings.alarms_a_week * _SHARES[level]:
            return rate
    return None


def _telling(state: LogState, service: int, rows: list[int], at: int) -> tuple[Telling, Happening]:
    """The open anomaly of a service's new lines, the one that has lately closed, or a new one."""
    key = AnomalyKind.LOG_NOVELTY, service
    if key in state.open:
        return state.open[key], Happening.GREW
    resting = state.resting.pop(key, None)
    start = min(int(state.rows["first"][row]) for row in rows)
    if resting is not None and at - resting.newest <= state.settings.quiet_s * 1000:
        resting.again, state.open[key] = start, resting
        return resting, Happening.REOPENED
    subject = state.subject(service, key[0])
    id = anomaly_id(state.place, subject, Side.ABOVE, start, rows[0])
    made = Telling(id=id, kind=key[0], subject=subject, service=service, start=start, newest=at)
    state.open[key] = made
    return made, Happening.OPENED


def _note(state: LogState, telling: Telling, row: int, rate: float | None, at: int) -> None:
    rows, level = state.rows, int(state.rows["level"][row])
    note = LineNote(
        template=rows.words["template"][row],
        level=Level(level).name,
        title=rows.words["title"][row],
        text=rows.words["title"][row],
        line=rows.words["line"][row],
        count=int(rows["count"][row]),
        before=level_before(state, row),
    )
    noted = Noted(
        note=note,
        level=level,
        start=int(rows["first"][row]),
        last=max(int(rows["last"][row]), at),
        surprise=-math.log10(rate) if rate else 0.0,
    )
    if telling.join(row, noted):
        rows["noted"][row] = True


def _severity(telling: Telling, story: Story) -> Severity:
    """Errors are one step more than others, many of them another."""
    errors = sum(story.lines[Level.ERROR :])
    grave = sum(one.level >= Level.ERROR for one in telling.noted.values())
    rank = int(errors > 0)
    rank += int(errors >= _MANY_LINES or grave >= _MANY_TEMPLATES or story.lines[Level.FATAL] > 0)
    return list(Severity)[rank]


def over(state: LogState, now: int) -> Iterator[Happened]:
    """Stories and anomalies that are over by a time."""
    settings = state.settings
    for service, story in list(state.stories.items()):
        is_quiet = now - story.newest > settings.gather_s * 1000
        is_quiet &= now - story.start > settings.listen_s * 1000
        if is_quiet or now - story.start > settings.gather_most_s * 1000:
            close_story(state, service, story)
    for key, telling in list(state.open.items()):
        if key[0] is AnomalyKind.LOG_NOVELTY and (
            now - telling.newest > settings.calm_s * 1000
            or now - telling.start > settings.news_s * 1000
        ):
            yield closed(state, key, now, Ending.CALM)


def close_story(state: LogState, service: int, story: Story) -> None:
    """A story is over, and tells how usual such are."""
    if story.is_counted:
        weight = TOLD_WEIGHT if story.is_told else 1.0
        state.services.told(service, story.is_deploy, story.lines, weight=weight)
    state.rows["young"][story.rows] = False
    del state.stories[service]


def closed(state: LogState, key: tuple[AnomalyKind, int], at: int, ending: Ending) -> Happened:
    """Close an anomaly; its templates are known from now on."""
    telling = state.open.pop(key)
    state.rows["noted"][list(telling.noted)] = False
    state.resting[key] = telling
    story = state.stories.get(key[1])
    if story is not None and telling.kind is AnomalyKind.LOG_NOVELTY:
        state.rows["young"][story.rows] = False
        story.rows.clear()
    return _event(state, telling, Happening.CLOSED, at, ending)


def _event(
    state: LogState, telling: Telling, kind: Happening, at: int, ending: Ending | None = None
) -> Happened:
    live = state.rows.of_service.get(telling.service, 0)
    return telling.happened(kind, at, tenant=state.tenant, live=live, ending=ending)
