"""Slack's texts and blocks: words from outside act on nothing, and too much is cut.

A message has 50 blocks at most, a header 150 characters, a text of a section 3,000, ten fields of
2,000 in one section. All blocks together are refused from about 13,000 characters on, which is
documented nowhere (slackapi/bolt-js issue 2509); we stay below 10,000 bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import msgspec

from detector.gate.render import Json

__all__ = [
    "ALL",
    "FIELD",
    "FIELDS",
    "SECTION",
    "Block",
    "context",
    "cut",
    "escaped",
    "header",
    "link",
    "moment",
    "mrkdwn",
    "page",
    "section",
    "within",
]

HEADER, SECTION, FIELD, BLOCKS, FIELDS = 150, 3000, 2000, 50, 10
ALL = 10_000
_URL = 2000

Block = dict[str, Json]


def header(text: str) -> Block:
    """Large letters, in which nothing is marked up."""
    words: Block = {"type": "plain_text", "text": cut(text, HEADER, marked=False), "emoji": True}
    return {"type": "header", "text": words}


def section(text: str) -> Block:
    """A paragraph."""
    return {"type": "section", "text": mrkdwn(text, SECTION)}


def context(text: str) -> Block:
    """Small letters."""
    return {"type": "context", "elements": [mrkdwn(text, SECTION)]}


def mrkdwn(text: str, most: int) -> Block:
    """A text that is marked up, in which no name and no address becomes a link by itself."""
    return {"type": "mrkdwn", "text": cut(text, most), "verbatim": True}


def escaped(text: str) -> str:
    """Text that mentions nobody and links nowhere."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def link(url: str, words: str) -> str:
    """A link where the URL is one of the web, else only the words."""
    shown = " ".join(words.split())
    if not shown or not _is_web(url):
        return escaped(words)
    # What ends a link, or begins its words, cannot be escaped in a URL but as any byte of it.
    safe = escaped(quote(url, safe="!#$%&'()*+,-./:;=?@[]_~"))
    return f"<{safe}|{escaped(shown).replace('|', '/')}>"


def page(public_url: str | None, path: str, words: str) -> str:
    """A link to a page of ours where people can reach us by an address, else only the words."""
    return link(f"{(public_url or '').rstrip('/')}{path}", words)


def moment(at_ms: int) -> str:
    """A time that each reader sees in his own zone; where that fails, in UTC."""
    text = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{at_ms // 1000}^{{date_short_pretty}} {{time}}|{text}>"


def cut(text: str, most: int, *, marked: bool = True) -> str:
    """At most so many characters (UTF-16), never none; not within an escape or a link of ours."""
    if _size(text) <= most:
        return text if text.strip() else "–"
    kept = text.encode("utf-16-le")[: 2 * (most - 1)].decode("utf-16-le", "ignore")
    for begin, end in (("&", ";"), ("<", ">")) if marked else ():
        head, sign, tail = kept.rpartition(begin)
        kept = head if sign and end not in tail else kept
    return f"{kept}…"


def within(blocks: Iterable[Block], *, most: int = ALL, count: int = BLOCKS) -> Iterator[Block]:
    """As many blocks as one message may have; the last says that more were left out."""
    size = 0
    for number, block in enumerate(blocks, 1):
        size += len(msgspec.json.encode(block))
        if number == count or size > most:
            yield context("More was left out here: see the pages of serinus.")
            return
        yield block


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and len(url) <= _URL


def _size(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
