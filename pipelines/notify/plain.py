"""A notice in plain words, for those without markup of their own: a headline, facts, points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from detector.alerts.brief import BriefState, Cause, IncidentBrief, Sign
from detector.alerts.digest_words import held_words, rule_words
from detector.gate.scored import score_words
from detector.gate.telling import Ailing, Notice
from detector.gate.verdict import Verdict
from detector.gate.words import duration

__all__ = ["Plain", "is_web", "moment", "one_line", "page_of", "plain_of", "subject_of"]

_STATES = {
    BriefState.OPEN: "Incident",
    BriefState.RESOLVED: "Resolved",
    BriefState.MERGED: "Merged",
}
_HAPPENED = {
    "opened": "it began",
    "due": "nobody is at it yet",
    "grew": "it grew",
    "suspect": "its likely cause is another one now",
    "merged": "it is a part of another incident now",
    "split": "it was split from another incident",
    "resolved": "it is over",
    "reopened": "it began again",
}
_NAMES, _NAME, _SIGNS, _CAUSES, _AILING = 10, 60, 10, 3, 20
_SENTENCE = 500
_RULES, _LINE = 20, 1000
_URL = 2000
_SURE, _NEVER = 0.99, 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """What is told, one line each: `facts` by name, `points` of a list, `link` to our page."""

    headline: str
    text: str
    facts: tuple[tuple[str, str], ...]
    points: tuple[str, ...]
    advice: str
    link: str | None

    @property
    def lines(self) -> Iterator[str]:
        """All of it as lines of text."""
        yield from (line for line in (self.headline, "", self.text) if line or self.text)
        yield from (f"{name}: {value}" for name, value in self.facts)
        yield from (f"- {point}" for point in self.points)
        yield from (["", self.advice] if self.advice else [])
        yield from (["", self.link] if self.link else [])


def plain_of(notice: Notice, public_url: str | None) -> Plain:
    """The same of every kind of notice."""
    of = notice.incident
    return Plain(
        headline=_headline(notice),
        text="" if of is not None else one_line(notice.text, _SENTENCE),
        facts=tuple(_facts(notice)),
        points=tuple(_points(notice)),
        advice=one_line(notice.advice if of is None else _advice(of), _SENTENCE),
        link=page_of(notice, public_url),
    )


def moment(at: int) -> str:
    """A time in UTC, from unix milliseconds.

    >>> moment(1_790_000_000_000)
    '2026-09-21 14:13 UTC'
    """
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def page_of(notice: Notice, public_url: str | None) -> str | None:
    """Where people see it, if they can reach us by an address."""
    if public_url is None:
        return None
    where = public_url.rstrip("/")
    if notice.verdict is not None:
        return f"{where}/rollouts/{notice.verdict.attempt}"
    if notice.report:
        return f"{where}/reports/{quote(notice.report, safe='')}"
    return None if notice.incident is None else f"{where}/incidents/{notice.incident.id}"


def subject_of(notice: Notice) -> str:
    """The service that it is about; of an incident the one that showed it first."""
    if notice.verdict is not None:
        return notice.verdict.service
    services = () if notice.incident is None else notice.incident.services
    return services[0] if services else notice.service


def one_line(text: str, most: int) -> str:
    """Words of others: no line break or other control character, and not too long."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def is_web(url: str) -> bool:
    """Whether people may be led there by a click."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and len(url) <= _URL


def _headline(notice: Notice) -> str:
    title = one_line(notice.title, _SENTENCE)
    of = notice.incident
    return title if of is None else f"{_STATES[of.state]}: {title}"


def _facts(notice: Notice) -> Iterator[tuple[str, str]]:
    if notice.incident is not None:
        yield from _incident_facts(notice.incident)
    if notice.verdict is not None:
        yield from _verdict_facts(notice.verdict)


def _verdict_facts(verdict: Verdict) -> Iterator[tuple[str, str]]:
    yield "Service", one_line(verdict.service, _NAME)
    yield "Mode", verdict.mode.value
    yield "Reason", str(verdict.reason.code)


def _incident_facts(of: IncidentBrief) -> Iterator[tuple[str, str]]:
    happened = of.note if of.why == "said" else _HAPPENED.get(of.why, of.why)
    yield "What happened", one_line(happened, _SENTENCE)
    yield "Severity", of.severity.value
    yield "Since", moment(of.began)
    if of.ended is not None:
        lasted = duration((of.ended - of.began) / 1000)
        yield "Until", f"{moment(of.ended)}, after {lasted}"
    if of.into is not None:
        yield "Part of", one_line(of.into, _NAME)
    yield "Affected", _services(of)
    yield from _causes(of)


def _services(of: IncidentBrief) -> str:
    names = [one_line(name, _NAME) or "one without a name" for name in of.services]
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more} more" if more > 0 else "")


def _causes(of: IncidentBrief) -> Iterator[tuple[str, str]]:
    if not of.causes or of.causes[0].probability < of.none:
        share = f" ({_percent(of.none)})" if of.causes else " that is known"
        yield "Likely cause", f"no change{share}"
    for number, cause in enumerate(of.causes[:_CAUSES]):
        is_likely = number == 0 and cause.probability >= of.none
        yield ("Likely cause" if is_likely else "Or", _cause(cause))
    if of.causes and of.causes[0].reasons:
        reasons = one_line(" ".join(of.causes[0].reasons), _SENTENCE)
        yield ("Because" if of.causes[0].probability >= of.none else "For that", reasons)


def _cause(cause: Cause) -> str:
    words = one_line(cause.title, _SENTENCE) or cause.kind
    kind = one_line(cause.kind, _NAME)
    return f"{words} ({kind}) at {moment(cause.at)}: {_percent(cause.probability)}"


def _advice(of: IncidentBrief) -> str:
    """What to do while it lasts and a change is likelier than none."""
    likely = of.causes[:1] if of.state is BriefState.OPEN else ()
    told = [one.advice for one in likely if one.advice and one.probability >= of.none]
    return f"What to do, if it was this: {told[0]}" if told else ""


def _points(notice: Notice) -> Iterator[str]:
    if notice.incident is not None:
        yield from (_sign(one) for one in notice.incident.signs[:_SIGNS])
        more = notice.incident.count - min(len(notice.incident.signs), _SIGNS)
        yield from ([f"and {more} more"] if more > 0 else [])
    yield from (_ailing(one) for one in notice.ailing[:_AILING])
    left = len(notice.ailing) - _AILING
    yield from ([f"and {left} more"] if left > 0 else [])
    yield from (one_line(line, _LINE) for line in _weekly(notice))


def _weekly(notice: Notice) -> Iterator[str]:
    """What came of policies and rules, and what a team was not told of."""
    yield from (score_words(score) for score in notice.policies[:_RULES])
    if notice.digest is not None:
        yield from (rule_words(rule) for rule in notice.digest.rules[:_RULES])
        yield from held_words(notice.digest)


def _sign(sign: Sign) -> str:
    until = "" if sign.ended is None else f", until {moment(sign.ended)}"
    return f"{one_line(sign.text, _SENTENCE)} (since {moment(sign.since)}{until})"


def _ailing(one: Ailing) -> str:
    times = "its only rollout" if one.rollouts == 1 else f"all {one.rollouts} rollouts"
    cure = one_line(one.cure.text, _SENTENCE)
    return f"{one_line(one.service, _NAME)}: {times} undecided. {cure}"


def _percent(share: float) -> str:
    """Never sure, and never nothing."""
    return f"{100 * min(max(share, _NEVER), _SURE):.0f} %"
