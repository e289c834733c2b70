"""What a try found, for programs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from api.cli.try_text import config_text
from detector.backtest.course import Poll
from detector.discovery.oddities import Oddity
from detector.discovery.past import Telling
from detector.discovery.tried import Placebos, Report, Rolled
from detector.gate.render import utc_text

if TYPE_CHECKING:
    from api.settings import Settings

__all__ = ["try_json"]


def try_json(report: Report, settings: Settings) -> dict[str, Any]:
    """The report with every answer of every minute."""
    skipped = (*report.listing.skipped, *report.skipped)
    return {
        "metrics": report.listing.metrics,
        "services": [
            {
                "service": one.service,
                "pods": one.pods,
                "requests_per_second": report.rates.get(one.service),
                "required": list(one.required),
                "judged": list(one.judged),
                "shown": list(one.shown),
                "missing": {m.name: m.why for m in one.missing},
            }
            for one in report.judged
        ],
        "services_not_looked_at": list(report.unjudged),
        "rollouts_looked_for": report.is_past_reached,
        "rollouts": [_rolled(one) for one in report.rolled],
        "rollouts_not_looked_at": [_found(one) for one in report.unread],
        "placebos": _placebos(report.placebos),
        "oddities": [_odd(one) for one in report.oddities],
        "skipped": [{"what": one.what, "why": one.why} for one in skipped],
        "configuration": config_text(settings),
        "seconds": {name: round(took, 3) for name, took in report.stages.items()},
    }


def _rolled(one: Rolled) -> dict[str, Any]:
    fail, passed = one.course.first_fail, one.course.first_pass
    return {
        **_found(one.found),
        "problem": one.course.problem,
        "says": one.says,
        "first_fail": None if fail is None else _poll(fail),
        "first_pass": None if passed is None else _poll(passed),
        "signal": one.course.signal,
        "polls": [_poll(poll) for poll in one.course.polls],
    }


def _found(one: Telling) -> dict[str, Any]:
    return {
        "service": one.service,
        "revision": one.new.name,
        "canary": one.new.selector,
        "control": one.old.selector,
        "found_by": one.new.by,
        "started_at": _at(one.start),
        "until": _at(one.until),
        "ending": one.ending.value,
        "is_return": one.is_return,
    }


def _poll(poll: Poll) -> dict[str, str | None]:
    return {
        "at": _at(poll.at),
        "outcome": poll.outcome.value,
        "reason": poll.reason.code,
        "text": poll.reason.text,
    }


def _placebos(found: Placebos) -> dict[str, Any]:
    low, high = found.interval
    return {
        "asked": found.asked,
        "reached": found.is_reached,
        "judged": found.judged,
        "failed": found.failed,
        "passed": found.passed,
        "services": found.services,
        "share_failed": found.failed / found.judged if found.judged else None,
        "low": low,
        "high": high,
    }


def _odd(one: Oddity) -> dict[str, Any]:
    return {
        "service": one.service,
        "kind": one.kind.value,
        "begin": _at(one.begin),
        "end": _at(one.end),
        "value": one.value,
        "usual": one.usual,
        "score": one.score,
    }


def _at(at: float) -> str | None:
    return utc_text(datetime.fromtimestamp(at, UTC))
