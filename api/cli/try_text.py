"""What a try found, for somebody who sees serinus for the first time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from detector.backtest.course import Course
from detector.backtest.placebos import PLACEBO_S
from detector.discovery.oddities import Oddity, OddityKind
from detector.discovery.past import Telling
from detector.discovery.tried import Placebos, Report, Rolled
from detector.gate.aa import TOLERATED
from detector.gate.verdict import Outcome

if TYPE_CHECKING:
    from api.settings import Settings

__all__ = ["ODDITIES", "config_text", "rolled_lines", "strip_of", "try_text"]

_SERVICES_SHOWN = 20
_UNREAD_SHOWN = 10
_MISSING_SHOWN = 6
ODDITIES = "oddities of the week"
_NOT_REACHED = "not looked at, the time was up (give --within more)"
_MARKS = {Outcome.PASS: "+", Outcome.FAIL: "x", Outcome.INCONCLUSIVE: "."}


def try_text(report: Report, settings: Settings) -> str:
    """The report as plain text, ends with the configuration."""
    sections = (
        _services(report),
        *(() if _is_blind(report) else _findings(report)),
        _skipped(report),
        _config(report, settings),
    )
    return "\n".join("\n".join(section) + "\n" for section in sections if section)


def _findings(report: Report) -> tuple[list[str], ...]:
    return _rollouts(report), _placebos(report.placebos), _oddities(report)


def _is_blind(report: Report) -> bool:
    """Whether there are services and none could be looked at: then nothing found says nothing."""
    seen = report.judged or report.rolled or report.unread
    return report.listing.services > 0 and not seen and bool(report.listing.skipped)


# -- services


def _services(report: Report) -> list[str]:
    listing = report.listing
    found = f"{listing.services:,} service{'' if listing.services == 1 else 's'}"
    lines = [f"{found} among {listing.metrics:,} metric{'' if listing.metrics == 1 else 's'}."]
    if not report.judged and report.listing.services:
        return [*lines, "None of them was looked at; see Skipped."]
    if not report.judged:
        return [*lines, "No metric counts requests as a pack knows them; see docs/signals.md."]
    lines += ["", "What would be judged, the busiest first:"]
    lines += _table(report)
    left = len(report.judged) - _SERVICES_SHOWN
    if left > 0:
        lines += [f"  and {left} more:", *_alike(report)]
    lines += _missing(report)
    if report.unjudged:
        lines.append(
            f"  {len(report.unjudged)} not looked at in the time: {_some(report.unjudged)}"
        )
    return lines


def _table(report: Report) -> list[str]:
    rows = [
        (
            one.service,
            f"{report.rates.get(one.service, 0):.3g}/s",
            f"{one.pods} pods" if one.pods else "no pods told",
            one.words,
        )
        for one in report.judged[:_SERVICES_SHOWN]
    ]
    return [f"  {line}" for line in _aligned(rows)]


def _alike(report: Report) -> Iterator[str]:
    """The others, by what would be judged of them."""
    groups: dict[str, list[str]] = {}
    for one in report.judged[_SERVICES_SHOWN:]:
        groups.setdefault(one.words, []).append(one.service)
    for words, names in groups.items():
        yield f"    {len(names)} with {words}: {_some(names)}"


def _missing(report: Report) -> Iterator[str]:
    """What is not bound, by its reason, the commonest first."""
    reasons = Counter(
        (one.name, one.why) for judged in report.judged for one in judged.missing if one.why
    )
    if reasons:
        yield "Not bound:"
    for (name, why), count in reasons.most_common(_MISSING_SHOWN):
        of = "all" if count == len(report.judged) else f"{count:,}"
        yield f"  {name} of {of}: {why}"


def _some(names: Sequence[str], most: int = 5) -> str:
    left = len(names) - most
    return ", ".join(names[:most]) + (f" and {left} more" if left > 0 else "")


# -- rollouts


def _rollouts(report: Report) -> list[str]:
    if not report.is_past_reached:
        return [f"Rollouts of the last {report.days:g} days: {_NOT_REACHED}."]
    count = len(report.rolled) + len(report.unread)
    lines = [f"Rollouts of the last {report.days:g} days: {count} found{_unlooked(report)}."]
    if report.rolled:
        lines.append("Each sign is a minute: . undecided, + may go on, x stop.")
    for one in report.rolled:
        lines += ["", *rolled_lines(one)]
    if report.unread:
        shown = [f"{one.service} {one.new.name} ({_day(one.start)})" for one in report.unread]
        lines += ["", f"Not yet looked at, begun about then: {_some(shown, _UNREAD_SHOWN)}"]
    return lines


def _unlooked(report: Report) -> str:
    """Nobody should take a past that could not be read for a past without rollouts."""
    count = len(report.skipped)
    what = "the past of one service" if count == 1 else f"the past of {count} services"
    return f"; {what} could not be read, see Skipped" if count else ""


def rolled_lines(one: Rolled) -> Iterator[str]:
    """A rollout with its answers, in three lines."""
    course, found = one.course, one.found
    yield f"  {_called(found)}, {found.ending.value}{' (a return)' if found.is_return else ''}"
    if course.problem is not None:
        yield f"    could not be judged: {course.problem}"
        return
    yield f"    {strip_of(one)}  {one.says}"
    last = course.first_fail or course.last
    if last is not None:
        yield f"    {last.reason.text}"


def strip_of(one: Rolled) -> str:
    """The answers, a sign for each minute."""
    return "".join(_MARKS[poll.outcome] for poll in one.course.polls)


def _called(found: Telling) -> str:
    minutes = (found.until - found.start) / 60
    return f"{_day(found.start)} {found.service} {found.new.name}, {minutes:.0f} min"


# -- placebos and oddities


def _placebos(found: Placebos) -> list[str]:
    if not found.judged and not found.is_reached:
        return [f"False alarms on your own data: {_NOT_REACHED}."]
    if not found.judged:
        return ["False alarms on your own data: no placebo could be judged (too few stable pods)."]
    low, high = found.interval
    share = f"{found.failed / found.judged:.1%}; 95 % between {low:.1%} and {high:.1%}"
    where = f"{found.services} service{'' if found.services == 1 else 's'}"
    count = f"{found.failed} of {found.judged} placebos on {where}"
    lines = [
        f"False alarms on your own data: {count} would have been stopped ({share}).",
        f"  {found.passed} of them would have passed within {PLACEBO_S / 60:g} minutes.",
    ]
    if found.closest is not None:
        told = f"{found.closest:.2g} of what a fail needs"
        lines.append(f"  The largest evidence against any of them was {told}.")
    lines += [f"  {one.rollout.name}: {_why(one)}" for one in found.failures[:3]]
    if found.failed > TOLERATED * found.judged:
        names = sorted({one.rollout.request.service for one in found.failures})
        lines.append(f"  That is too often: serinus aa raises what a fail needs of {_some(names)}.")
    if found.judged < found.asked:
        lines.append(f"  {found.asked - found.judged} more were not asked about in the time.")
    return lines


def _why(course: Course) -> str:
    fail = course.first_fail
    return "" if fail is None else fail.reason.text


def _oddities(report: Report) -> list[str]:
    if not report.oddities and any(one.what == ODDITIES for one in report.listing.skipped):
        return [f"The strangest of the week: {_NOT_REACHED}."]
    if not report.oddities:
        return ["Nothing odd in the busiest services this week."]
    lines = ["The strangest of the week:"]
    for one in report.oddities:
        near = [r.found for r in report.rolled if _is_near(r.found, one)]
        beside = f"; {near[0].new.name} was being rolled out" if near else ""
        lines.append(f"  {_day(one.begin)} to {_clock(one.end)} {one.service}: {_odd(one)}{beside}")
    return lines


def _is_near(found: Telling, odd: Oddity) -> bool:
    return found.service == odd.service and found.start < odd.end and odd.begin < found.until


def _odd(one: Oddity) -> str:
    match one.kind:
        case OddityKind.ERRORS:
            return f"errors {one.value:.2%}, in the week {one.usual:.2%}"
        case OddityKind.SLOW:
            slow = f"{one.value:.1%} took over {one.edge:g} s"
            return f"{slow}, in the week {one.usual:.1%}"
        case OddityKind.TRAFFIC:
            return f"{one.value:.3g} requests/s, in the week {one.usual:.3g}"


def _skipped(report: Report) -> list[str]:
    skipped = (*report.listing.skipped, *report.skipped)
    if not skipped:
        return []
    reasons: dict[str, list[str]] = {}
    for one in skipped:
        reasons.setdefault(one.why, []).append(one.what)
    return ["Skipped:", *(f"  {_some(what)}: {why}" for why, what in reasons.items())]


# -- configuration


def _config(report: Report, settings: Settings) -> list[str]:
    took = sum(report.stages.values())
    return [
        "The configuration that this would use (serinus serve --config FILE):",
        "",
        *config_text(settings).splitlines(),
        "",
        "Next: serinus init gate --service NAME --for argo (or flagger, or ci).",
        f"Read in {took:.0f} s; nothing was written to it.",
    ]


def config_text(settings: Settings) -> str:
    """A file that `serinus serve` takes; it begins in shadow mode, which stops nothing."""
    packs = "".join(f"\n  - {path}" for path in settings.packs)
    return (
        "source:\n"
        f"  url: {settings.source.url}\n"
        f"packs:{packs or ' []'}\n"
        "policies:\n"
        "  default:\n"
        "    mode: shadow   # judges and answers pass; enforce, when you trust it\n"
        "    alpha: 0.005   # of healthy rollouts at most this share ever fails\n"
        "    slo: 0.999     # share of good requests that you promise\n"
    )


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%a %d %b %H:%M")


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M")


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
