"""A notice in Slack's Block Kit, within its limits: too much is cut, never refused.

A message has 50 blocks at most, a header 150 characters, a text of a section 3,000, ten fields of
2,000 in one section. All blocks together are refused from about 13,000 characters on, which is
documented nowhere (slackapi/bolt-js issue 2509); we stay below 10,000 bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from detector.gate.render import Json
from detector.gate.telling import Ailing, Notice, NoticeKind
from detector.gate.verdict import SignalVerdict, Verdict
from detector.gate.words import title

__all__ = ["message"]

_HEADER, _SECTION, _FIELD, _BLOCKS, _FIELDS = 150, 3000, 2000, 50, 10
_ALL = 10_000
_SIGNS = {
    NoticeKind.FAIL: ":red_circle:",
    NoticeKind.PAUSE: ":large_yellow_circle:",
    NoticeKind.WEEKLY: ":calendar:",
    NoticeKind.INCIDENT: ":rotating_light:",
    NoticeKind.TEST: ":wave:",
}

Block = dict[str, Json]


def message(notice: Notice, public_url: str | None) -> Block:
    """The body for an incoming webhook; `text` is what a phone shows in its notification."""
    text = _cut(_escaped(f"{notice.title}: {notice.text}"), _SECTION)
    return {"text": text, "blocks": list(_within(_blocks(notice, public_url)))}


def _blocks(notice: Notice, public_url: str | None) -> Iterator[Block]:
    yield _header(f"{_SIGNS[notice.kind]} {notice.title}")
    yield _section(_escaped(notice.text))
    if notice.advice:
        yield _section(_escaped(notice.advice))
    shown = list(_others(notice))
    if shown:
        yield {"type": "section", "fields": [_field(signal) for signal in shown]}
    for one in notice.ailing:
        yield _section(_ailing(one, public_url))
    if notice.verdict is not None:
        yield _context(_origin(notice.verdict, public_url))


def _others(notice: Notice) -> Iterator[SignalVerdict]:
    """What the judged signals showed beside the one that the text is about."""
    signals = () if notice.verdict is None else notice.verdict.signals
    told = [s for s in signals if (s.judged or s.required) and s.reason.text != notice.text]
    yield from told[:_FIELDS]


def _header(text: str) -> Block:
    words: Block = {"type": "plain_text", "text": _cut(text, _HEADER), "emoji": True}
    return {"type": "header", "text": words}


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text, _SECTION)}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [_mrkdwn(text, _SECTION)]}


def _mrkdwn(text: str, most: int) -> Block:
    return {"type": "mrkdwn", "text": _cut(text, most), "verbatim": True}


def _field(signal: SignalVerdict) -> Block:
    said = f"*{_escaped(title(signal.name))}*: {signal.outcome.value}\n"
    return _mrkdwn(said + _escaped(signal.reason.text), _FIELD)


def _ailing(one: Ailing, public_url: str | None) -> str:
    name = _link(public_url, f"/rollouts/{one.attempt}", one.service)
    times = "its only rollout" if one.rollouts == 1 else f"all {one.rollouts} rollouts"
    return f"*{name}*: {times} undecided (`{one.cure.code}`)\n{_escaped(one.cure.text)}"


def _origin(verdict: Verdict, public_url: str | None) -> str:
    page = _link(public_url, f"/rollouts/{verdict.attempt}", "the rollout's page")
    mode = f"mode `{verdict.mode.value}`, reason `{_escaped(str(verdict.reason.code))}`"
    return f"{page}  ·  {mode}  ·  `serinus explain {verdict.id}`"


def _link(public_url: str | None, path: str, words: str) -> str:
    """A link where people can reach us by an address, else only the words."""
    if public_url is None:
        return _escaped(words)
    return f"<{public_url.rstrip('/')}{path}|{_escaped(words).replace('|', '/')}>"


def _escaped(text: str) -> str:
    """Text that mentions nobody and links nowhere."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, most: int) -> str:
    """At most so many characters (UTF-16), never none, and not cut within an escape."""
    if _size(text) <= most:
        return text if text.strip() else "–"
    kept = text.encode("utf-16-le")[: 2 * (most - 1)].decode("utf-16-le", "ignore")
    head, sign, tail = kept.rpartition("&")
    return f"{head if sign and ';' not in tail else kept}…"


def _size(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _within(blocks: Iterator[Block]) -> Iterator[Block]:
    """As many blocks as one message may have; the last says that more were left out."""
    size = 0
    for count, block in enumerate(blocks, 1):
        size += len(msgspec.json.encode(block))
        if count == _BLOCKS or size > _ALL:
            yield _context("More was left out here: see the pages of serinus.")
            return
        yield block
