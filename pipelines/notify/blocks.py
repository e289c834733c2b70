"""A notice in Slack's Block Kit, within its limits: too much is cut, never refused."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from detector.alerts.digest import Digest
from detector.alerts.digest_words import rule_words
from detector.gate.scored import score_words
from detector.gate.telling import Ailing, Notice, NoticeKind
from detector.gate.verdict import SignalVerdict, Verdict
from detector.gate.words import title
from pipelines.notify.incident_blocks import incident_blocks
from pipelines.notify.mrkdwn import (
    FIELD,
    FIELDS,
    SECTION,
    Block,
    context,
    cut,
    escaped,
    header,
    link,
    mrkdwn,
    page,
    section,
    within,
)

__all__ = ["message"]

_RULES, _HELD = 15, 20
_SIGNS = {
    NoticeKind.FAIL: ":red_circle:",
    NoticeKind.PAUSE: ":large_yellow_circle:",
    NoticeKind.WEEKLY: ":calendar:",
    NoticeKind.INCIDENT: ":rotating_light:",
    NoticeKind.BLIND: ":see_no_evil:",
    NoticeKind.CAPACITY: ":hourglass_flowing_sand:",
    NoticeKind.REPORT: ":bar_chart:",
    NoticeKind.TEST: ":wave:",
}


def message(notice: Notice, public_url: str | None, *, buttons: bool = False) -> Block:
    """A whole message; `text` is what a phone shows in its notification.

    `buttons`: those by which people say what they think of an incident; an app hears of them.
    """
    text = cut(escaped(f"{notice.title}: {notice.text}"), SECTION)
    incident = notice.incident
    if incident is None:
        return {"text": text, "blocks": list(within(_blocks(notice, public_url)))}
    return {"text": text, "blocks": list(incident_blocks(incident, public_url, buttons))}


def _blocks(notice: Notice, public_url: str | None) -> Iterator[Block]:
    yield header(f"{_SIGNS[notice.kind]} {notice.title}")
    yield section(escaped(notice.text))
    if notice.advice:
        yield section(escaped(notice.advice))
    shown = list(_others(notice))
    if shown:
        yield {"type": "section", "fields": [_field(signal) for signal in shown]}
    for one in notice.ailing:
        yield section(_ailing(one, public_url))
    for score in notice.policies[:_RULES]:
        yield section(escaped(score_words(score)))
    if notice.digest is not None:
        yield from _digest(notice.digest)
    if notice.report:
        where = f"/reports/{quote(notice.report, safe='')}"
        yield context(page(public_url, where, "The whole report"))
    if notice.verdict is not None:
        yield context(_origin(notice.verdict, public_url))


def _digest(digest: Digest) -> Iterator[Block]:
    """How right its rules were, and what was held back, each under its link."""
    for rule in digest.rules[:_RULES]:
        yield section(escaped(rule_words(rule)))
    for one in digest.held[:_HELD]:
        name = link(one.link, one.title)
        why = escaped(" ".join(one.words.split()))
        yield section(f"*{name}* ({one.severity.value}) was held back: {why}")
    more = digest.held_count - min(len(digest.held), _HELD)
    if more > 0:
        yield section(f"and {more} more that were held back")


def _others(notice: Notice) -> Iterator[SignalVerdict]:
    """What the judged signals showed beside the one that the text is about."""
    signals = () if notice.verdict is None else notice.verdict.signals
    told = [s for s in signals if (s.judged or s.required) and s.reason.text != notice.text]
    yield from told[:FIELDS]


def _field(signal: SignalVerdict) -> Block:
    said = f"*{escaped(title(signal.name))}*: {signal.outcome.value}\n"
    return mrkdwn(said + escaped(signal.reason.text), FIELD)


def _ailing(one: Ailing, public_url: str | None) -> str:
    name = page(public_url, f"/rollouts/{one.attempt}", one.service)
    times = "its only rollout" if one.rollouts == 1 else f"all {one.rollouts} rollouts"
    return f"*{name}*: {times} undecided (`{one.cure.code}`)\n{escaped(one.cure.text)}"


def _origin(verdict: Verdict, public_url: str | None) -> str:
    where = page(public_url, f"/rollouts/{verdict.attempt}", "the rollout's page")
    mode = f"mode `{verdict.mode.value}`, reason `{escaped(str(verdict.reason.code))}`"
    return f"{where}  ·  {mode}  ·  `serinus explain {verdict.id}`"
