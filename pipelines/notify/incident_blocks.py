"""An incident in Slack's Block Kit: what, since when, who is affected, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from detector.alerts.brief import BriefState, Cause, IncidentBrief, Sign
from detector.gate.render import Json
from detector.gate.words import duration
from detector.incidents.record import SaidKind
from pipelines.notify.mrkdwn import (
    ALL,
    Block,
    context,
    cut,
    escaped,
    header,
    link,
    moment,
    page,
    section,
    within,
)
from pipelines.notify.slack_interactions import BLOCK_ID_MAX, action_of, block_id_of

__all__ = ["happening", "incident_blocks"]

_NAMES, _NAME, _SIGNS, _SIGN, _CAUSES, _REASONS, _TEXT = 10, 60, 5, 250, 3, 3, 200
_STATES = {
    BriefState.OPEN: ":rotating_light:",
    BriefState.RESOLVED: ":white_check_mark:",
    BriefState.MERGED: ":arrow_right_hook:",
}
_SNOOZES = {"1 hour": 3600, "4 hours": 14_400, "1 day": 86_400}
_SURE, _NEVER = 0.99, 0.01


def incident_blocks(brief: IncidentBrief, public_url: str | None, buttons: bool) -> list[Block]:
    """All of it as it is now; with `buttons` the last block has them, whatever is left out."""
    last = list(_buttons(brief)) if buttons else []
    most = ALL - len(msgspec.json.encode(last))
    return [*within(_blocks(brief, public_url), most=most, count=49), *last]


def happening(brief: IncidentBrief, public_url: str | None) -> str:
    """What happened to it, in a line of its thread."""
    at = moment(brief.told_at)
    match brief.why:
        case "grew":
            return f"{at}: it grew to {_many(brief)} at {_services(brief)}."
        case "suspect":
            return f"{at}: {next(_causes(brief), _NO_CAUSE)}"
        case "resolved" | "merged" if brief.state is not BriefState.OPEN:
            return f"{at}: {_state(brief, public_url)}"
        case "reopened":
            return f"{at}: it began again, with {_many(brief)} at {_services(brief)}."
        case "due":
            return f"{at}: nobody is at it yet, with {_many(brief)} at {_services(brief)}."
        case "said":
            return f"{at}: {_cut(brief.note, _TEXT)}"
        case "split":
            return f"{at}: it was split from another one, with {_many(brief)}."
    return f"{at}: {escaped(brief.why)}, with {_many(brief)} at {_services(brief)}."


_NO_CAUSE = "*Likely cause*: no change is known that could have caused it."


def _blocks(brief: IncidentBrief, public_url: str | None) -> Iterator[Block]:
    yield header(f"{_STATES[brief.state]} {brief.title}")
    yield section(_state(brief, public_url))
    yield section("\n".join(_affected(brief)))
    causes = list(_causes(brief))
    yield section("\n".join(causes) if causes else _NO_CAUSE)
    if brief.state is BriefState.OPEN and brief.causes and brief.causes[0].advice:
        yield section(f"*What to do*, if it was this: {_advice(brief.causes[0].advice)}")
    where = page(public_url, f"/incidents/{brief.id}", "the incident's page")
    yield context(f"{where}  ·  severity {brief.severity.value}  ·  `{escaped(brief.id)}`")


def _state(brief: IncidentBrief, public_url: str | None) -> str:
    since = moment(brief.began)
    if brief.state is BriefState.OPEN:
        return f"*Since* {since}; it lasts."
    ended = brief.ended if brief.ended is not None else brief.told_at
    lasted = duration((ended - brief.began) / 1000)
    if brief.state is BriefState.RESOLVED:
        return f"*Over* since {moment(ended)}, after {lasted}; it began {since}."
    into = brief.into or "another incident"
    return f"It is a part of {page(public_url, f'/incidents/{into}', into)} now; it began {since}."


def _affected(brief: IncidentBrief) -> Iterator[str]:
    yield f"*Affected*: {_services(brief)}"
    for sign in brief.signs[:_SIGNS]:
        yield _sign(sign)
    more = brief.count - min(len(brief.signs), _SIGNS)
    if more > 0:
        yield f"and {more} more"


def _sign(sign: Sign) -> str:
    over = "" if sign.ended is None else f", until {moment(sign.ended)}"
    return f"• {_cut(sign.text, _SIGN)} (since {moment(sign.since)}{over})"


def _services(brief: IncidentBrief) -> str:
    names = [_cut(name, _NAME) if name else "one without a name" for name in brief.services]
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more} more" if more > 0 else "")


def _many(brief: IncidentBrief) -> str:
    return "1 sign" if brief.count == 1 else f"{brief.count} signs"


def _causes(brief: IncidentBrief) -> Iterator[str]:
    """The likeliest with its reasons, further ones in a line each, and whether it is none."""
    if not brief.causes:
        return
    first = brief.causes[0]
    if first.probability < brief.none:
        yield f"*Likely no change* ({_percent(brief.none)}); next to that:"
        yield f"• {_cause(first)}"
    else:
        yield f"*Likely cause*: {_cause(first)}"
    yield from (f"• {_cut(reason, _TEXT)}" for reason in first.reasons[:_REASONS])
    yield from _others(brief.causes[1:_CAUSES])
    if first.probability >= brief.none:
        yield f"No change: {_percent(brief.none)}"


def _others(causes: Sequence[Cause]) -> Iterator[str]:
    yield from (f"Or: {_cause(cause)}" for cause in causes)


def _cause(cause: Cause) -> str:
    words = " ".join(cause.title.split())[:_TEXT] or cause.kind
    of = f" of {_cut(cause.service, _NAME)}" if cause.service else ""
    version = f" to {_cut(cause.version, _NAME)}" if cause.version else ""
    named = f"{link(cause.link, words)} ({_cut(cause.kind, _NAME)}{of}{version})"
    return f"{named} at {moment(cause.at)}: {_percent(cause.probability)}"


def _advice(text: str) -> str:
    """A command as such, a sentence as it is."""
    shown = _cut(text, 2 * _TEXT)
    return shown if shown.endswith(".") or "`" in shown else f"`{shown}`"


def _percent(share: float) -> str:
    """Never sure, and never nothing."""
    return f"{100 * min(max(share, _NEVER), _SURE):.0f} %"


def _cut(text: str, most: int) -> str:
    """Words of others on one line."""
    return escaped(cut(" ".join(text.split()), most, marked=False))


def _buttons(brief: IncidentBrief) -> Iterator[Block]:
    """None on one that went into another, where they would say nothing."""
    place = block_id_of(brief.tenant, brief.id)
    if brief.state is BriefState.MERGED or len(place) > BLOCK_ID_MAX:
        return
    elements: list[Block] = [_button("Not an incident", SaidKind.NO_INCIDENT)]
    if brief.state is BriefState.OPEN:
        elements = [_button("Acknowledge", SaidKind.ACKNOWLEDGED), *elements, _snooze()]
    yield {"type": "actions", "block_id": place, "elements": list(elements)}


def _button(words: str, said: SaidKind) -> Block:
    style: Block = {"style": "primary"} if said is SaidKind.ACKNOWLEDGED else {}
    return {"type": "button", "action_id": action_of(said), "text": _plain(words), **style}


def _snooze() -> Block:
    options: list[Json] = [
        {"text": _plain(words), "value": str(for_s)} for words, for_s in _SNOOZES.items()
    ]
    return {
        "type": "static_select",
        "action_id": action_of(SaidKind.SNOOZED),
        "placeholder": _plain("Snooze for"),
        "options": options,
    }


def _plain(words: str) -> Block:
    return {"type": "plain_text", "text": words}
