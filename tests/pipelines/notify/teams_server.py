"""A webhook of Teams' Workflows on a real port, as its documents have it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.pipelines.notify.vendor import Answer, Request, serving

__all__ = ["PATH", "Channel", "channel", "refusal", "words_of"]

PATH = "/workflows/abc/triggers/manual/paths/invoke?api-version=2016-06-01&sig=s3cret"
_SIZE = 28 * 1024
_CARD = {"$schema", "type", "version", "body", "actions", "msteams"}
_RUN = {"type", "text", "size", "weight", "color", "isSubtle"}
_SIZES = {"Default", "Small", "Medium", "Large", "ExtraLarge"}
_COLOURS = {"default", "dark", "light", "accent", "good", "warning", "attention"}


@dataclass(slots=True)
class Channel:
    """Cards that were posted; `ill` are answers of the next calls."""

    url: str = ""
    cards: list[dict[str, Any]] = field(default_factory=list)
    ill: list[Answer] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        """202 for a message that is one."""
        if request.path != PATH:
            return Answer(401, b'{"error":{"code":"DirectApiAuthorizationRequired"}}')
        if self.ill:
            return self.ill.pop(0)
        error = _refused(request)
        if error is not None:
            status, code = error
            body = {"error": {"code": code, "message": "The request is invalid."}}
            return Answer(status, json.dumps(body).encode())
        self.cards.append(json.loads(request.body)["attachments"][0]["content"])
        return Answer(202)


def _refused(request: Request) -> tuple[int, str] | None:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return 400, "InvalidContentType"
    if len(request.body.decode().encode("utf-16-le")) > _SIZE:
        return 413, "RequestEntityTooLarge"
    code = refusal(json.loads(request.body))
    return None if code is None else (400, code)


def refusal(message: Mapping[str, Any]) -> str | None:
    """Why it is no message; None for one that is posted."""
    if message.keys() != {"type", "attachments"} or message["type"] != "message":
        return "TriggerInputSchemaMismatch"
    (attachment,) = message["attachments"]
    if attachment.keys() != {"contentType", "contentUrl", "content"}:
        return "TriggerInputSchemaMismatch"
    if attachment["contentType"] != "application/vnd.microsoft.card.adaptive":
        return "TriggerInputSchemaMismatch"
    card = attachment["content"]
    if card.keys() - _CARD or card["type"] != "AdaptiveCard" or card["version"] != "1.4":
        return "InvalidCard"
    actions = card.get("actions", [])
    is_card = card["body"] and all(map(_is_block, card["body"])) and all(map(_is_link, actions))
    return None if is_card else "InvalidCard"


def _is_block(block: Mapping[str, Any]) -> bool:
    """Of the elements that a card may have, those that we use; a picture is in the card."""
    if block.keys() == {"type", "url", "altText"} and block["type"] == "Image":
        head, _, told = block["url"].partition(",")
        picture = base64.b64decode(told, validate=True)
        return head == "data:image/png;base64" and picture.startswith(b"\x89PNG")
    known = block.keys() == {"type", "inlines"} and block["type"] == "RichTextBlock"
    return known and bool(block["inlines"]) and all(map(_is_run, block["inlines"]))


def _is_run(run: Mapping[str, Any]) -> bool:
    looks = run.get("size", "Default") in _SIZES and run.get("color", "default") in _COLOURS
    weight = run.get("weight", "Default") in {"Default", "Lighter", "Bolder"}
    return (
        not run.keys() - _RUN
        and run["type"] == "TextRun"
        and bool(run["text"])
        and looks
        and weight
    )


def _is_link(action: Mapping[str, Any]) -> bool:
    known = action.keys() == {"type", "title", "url"} and action["type"] == "Action.OpenUrl"
    return known and action["url"].startswith("http")


def words_of(card: Mapping[str, Any]) -> list[str]:
    """What is read in it, by line."""
    told = (block["inlines"] for block in card["body"] if block["type"] != "Image")
    return ["".join(run["text"] for run in runs) for runs in told]


@contextmanager
def channel() -> Iterator[Channel]:
    """One with a workflow."""
    one = Channel()
    with serving(one.answer) as where:
        one.url = where + PATH
        yield one
