"""What the page of objectives shows: what is promised, what is left of it, how fast it burns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.ui.marked import shortened
from api.ui.wording import about, amount, day_clock, exactly
from detector.gate.words import seconds_text
from detector.incidents.burns import burn_id
from detector.selector import format_query
from detector.slo.burn import PAIRS, Burning
from detector.slo.counts import Flaw
from detector.slo.following import Alert
from detector.slo.objective import Counted, Objective
from detector.slo.standing import Pace, Standing, standing_of
from detector.slo.words import burn_words, left_words, span_words
from pipelines.slo.burning import Seen

__all__ = ["AlertRow", "PaceRow", "SloCard", "cards_of", "not_looked_at"]

# Bins are of five minutes: what was not looked at for three of them is known no more.
FORGOTTEN_S = 900.0
_LOW = 0.2
_NOT_YET = "it was not looked at yet"
_WORDS = {
    Burning.PAGE: "burns: page",
    Burning.TICKET: "burns: ticket",
    Burning.QUIET: "does not burn",
    Burning.UNKNOWN: "not known",
}
# A budget that is gone stands after what burns.
_GONE_AT, _GONE = 1.5, "budget gone"
_ORDER = (Burning.PAGE, Burning.TICKET, Burning.UNKNOWN, Burning.QUIET)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceRow:
    """How fast the budget burns over a pair of windows, and what that alerts; dashes: unknown."""

    windows: str
    long: str
    short: str
    threshold: str
    alert: str
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """The alert that lasts, or the last one."""

    words: str
    level: str
    since: str
    exact: str
    ago: str
    ended: str
    incident: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SloCard:
    """One objective. `left` is the share of the budget from 0 to 100; None: unknown."""

    name: str
    service: str
    title: str
    state: Burning
    words: str
    badge: str
    tint: str
    promise: str
    indicator: str
    queries: tuple[tuple[str, str], ...]
    served: str
    left: float | None
    left_tint: str
    budget: str
    why: str
    paces: tuple[PaceRow, ...]
    alert: AlertRow | None
    own_conditions: int
    counted: str


def cards_of(
    seen: Sequence[Seen], missing: Sequence[Objective], incidents: Mapping[str, str], now: float
) -> tuple[SloCard, ...]:
    """What burns first, then what is not known, then by what is left."""
    every = [(one, _state(one, now)) for one in (*seen, *map(not_looked_at, missing))]
    every.sort(key=lambda pair: _gravity(*pair))
    return tuple(_card(one, state, incidents, now) for one, state in every)


def not_looked_at(objective: Objective) -> Seen:
    """One of which nothing is known yet."""
    standing = standing_of(objective, Flaw.NO_DATA, 0.0)
    return Seen(standing=standing, looked_at=0.0, why=_NOT_YET)


def _state(seen: Seen, now: float) -> Burning:
    """As of now: what was seen long ago is known no more."""
    is_fresh = now - seen.looked_at <= FORGOTTEN_S
    return seen.standing.burning if is_fresh else Burning.UNKNOWN


def _gravity(seen: Seen, state: Burning) -> tuple[float, float, str, str]:
    left, one = seen.standing.budget.left, seen.objective
    place = _GONE_AT if _is_gone(seen, state) else _ORDER.index(state)
    return place, -1e9 if left is None else left, one.service, one.name


def _is_gone(seen: Seen, state: Burning) -> bool:
    """Whether nothing is left though it does not burn now."""
    left = seen.standing.budget.left
    return state is Burning.QUIET and left is not None and left <= 0


def _card(seen: Seen, state: Burning, incidents: Mapping[str, str], now: float) -> SloCard:
    one, standing = seen.objective, seen.standing
    left, is_unknown = standing.budget.left, state is Burning.UNKNOWN
    return SloCard(
        name=shortened(one.name),
        service=one.service,
        title=shortened(one.service),
        state=state,
        words=_GONE if _is_gone(seen, state) else _WORDS[state],
        badge="page" if _is_gone(seen, state) else state.value,
        tint=_tint(state, left),
        promise=f"{100 * one.target:.6g} % over {one.window.text}",
        indicator=_indicator(one),
        queries=_queries(one),
        served=_served(standing),
        left=None if left is None else round(100 * min(max(left, 0.0), 1.0), 1),
        left_tint="unknown" if is_unknown else _left_tint(left or 0.0),
        budget=_was_left(standing, now) if is_unknown else left_words(standing),
        why=_why(seen, now) if is_unknown else "",
        paces=tuple(_pace(pace, is_stale=is_unknown) for pace in standing.paces),
        alert=None if seen.alert is None else _alert(seen, seen.alert, incidents, now),
        own_conditions=len(one.conditions),
        counted=_counted(seen, now),
    )


def _tint(state: Burning, left: float | None) -> str:
    """As severities are coloured."""
    if state is Burning.PAGE or (left is not None and left <= 0):
        return "high"
    return "low" if state is Burning.QUIET and left is not None and left >= _LOW else "medium"


def _left_tint(left: float) -> str:
    return "none" if left <= 0 else "low" if left < _LOW else "enough"


def _was_left(standing: Standing, now: float) -> str:
    """What is known of a budget that is not counted any more: no forecast stands on it."""
    left, to = standing.budget.left, standing.counted_to
    if left is None or to is None:
        return "What is left of the budget is not known."
    window, at = standing.objective.window.text, day_clock(to, near=now)
    share = (
        f"{100 * left:.3g} % of the budget of {window} was left"
        if left > 0
        else (f"The budget of {window} was gone")
    )
    return f"{share} at {at}; what was spent since is not known."


def _why(seen: Seen, now: float) -> str:
    """Why it is not known how it burns."""
    if seen.looked_at and now - seen.looked_at > FORGOTTEN_S:
        return f"it was last looked at {about(seen.looked_at - now)}"
    return shortened(seen.why, 400) or "nothing was counted lately"


def _indicator(one: Objective) -> str:
    """What has to be good."""
    told = one.indicator
    if isinstance(told, Counted):
        return "events of its queries that are good"
    if told.below is not None:
        return f"requests that take {seconds_text(told.below)} at most"
    known = {"error_rate": "requests that do not fail"}
    return known.get(told.signal, f"requests that are good by {shortened(told.signal, 60)}")


def _queries(one: Objective) -> tuple[tuple[str, str], ...]:
    told = one.indicator
    if not isinstance(told, Counted):
        return ()
    part = "good" if told.part_is_good else "bad"
    asked = ((part, told.part), ("all", told.total))
    return tuple((name, shortened(format_query(query), 600)) for name, query in asked)


def _served(standing: Standing) -> str:
    """The indicator over the window, in sums and never a mean of ratios."""
    budget = standing.budget
    if budget.left is None or budget.total <= 0:
        return ""
    good = 1.0 - budget.bad / budget.total
    return f"{100 * good:.6g} % of {amount(round(budget.total))} were good"


def _pace(pace: Pace, *, is_stale: bool) -> PaceRow:
    long, short = (None, None) if is_stale else (pace.long, pace.short)
    times = pace.pair.times
    return PaceRow(
        windows=f"{_window(pace.pair.long_s)} and {_window(pace.pair.short_s)}",
        long=_times(long),
        short=_times(short),
        threshold=f"{times:g}×",
        alert=pace.pair.alert.value,
        is_over=long is not None and short is not None and min(long, short) > times,
    )


def _window(seconds: float) -> str:
    return "1 h" if seconds == PAIRS[0].long_s else span_words(seconds)


def _times(pace: float | None) -> str:
    if pace is None:
        return "–"
    return f"{pace:,.0f}×" if pace >= 10 else f"{pace:.2g}×"


def _alert(seen: Seen, alert: Alert, incidents: Mapping[str, str], now: float) -> AlertRow:
    return AlertRow(
        words=shortened(_burn(seen, alert), 600),
        level=alert.level.value,
        since=day_clock(alert.onset, near=now),
        exact=exactly(alert.onset),
        ago=about(alert.onset - now),
        ended="" if alert.ended is None else day_clock(alert.ended, near=now),
        incident=incidents.get(burn_id(seen.objective, alert), ""),
    )


def _burn(seen: Seen, alert: Alert) -> str:
    """Without what is left, which stands beside it."""
    words = burn_words(seen.standing, alert)
    return words.removesuffix(left_words(seen.standing)).rstrip()


def _counted(seen: Seen, now: float) -> str:
    to, known = seen.standing.counted_to, seen.standing.budget.known
    if to is None:
        return ""
    return f"Counted to {day_clock(to, near=now)}; {100 * known:.3g} % of the window has counts."
