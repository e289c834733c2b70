"""PagerDuty's Events API v2 on a real port, as its documents have it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.pipelines.notify.vendor import Answer, Request, serving

__all__ = ["KEY", "Alert", "Pager", "pager"]

KEY = "0123456789abcdef0123456789abcdef"
_TOP = {
    "routing_key", "event_action", "dedup_key", "payload", "images", "links", "client",
    "client_url",
}  # fmt: skip
_PAYLOAD = {
    "summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details",
}  # fmt: skip
_TEXTS = _PAYLOAD - {"custom_details"}


@dataclass(slots=True)
class Alert:
    """One alert: every event that was applied to it, and whether it lasts."""

    state: str
    log: list[dict[str, Any]]


@dataclass(slots=True)
class Pager:
    """A service with one integration; `ill` are statuses of the next answers, with Retry-After."""

    url: str = ""
    alerts: list[tuple[str, Alert]] = field(default_factory=list)
    got: list[dict[str, Any]] = field(default_factory=list)
    ill: list[tuple[int, int | None]] = field(default_factory=list)

    def open(self, key: str) -> Alert | None:
        """The alert of that key that lasts."""
        mine = [alert for of, alert in self.alerts if of == key and alert.state != "resolved"]
        return mine[-1] if mine else None

    def answer(self, request: Request) -> Answer:
        """202 for what is an event, 400 with the errors for what is none."""
        if self.ill:
            status, after = self.ill.pop(0)
            return Answer(status, b"", after)
        errors = _errors(request)
        if errors:
            body = {"status": "invalid event", "message": "Event object is invalid"}
            return Answer(400, json.dumps({**body, "errors": errors}).encode())
        event = json.loads(request.body)
        self.got.append(event)
        key = event.get("dedup_key") or f"made-{len(self.got)}"
        self._apply(key, event)
        said = {"status": "success", "message": "Event processed", "dedup_key": key}
        return Answer(202, json.dumps(said).encode())

    def _apply(self, key: str, event: dict[str, Any]) -> None:
        """To the open alert of that key; a trigger makes one, the others are dropped then."""
        alert = self.open(key)
        if alert is None and event["event_action"] == "trigger":
            self.alerts.append((key, Alert("triggered", [event])))
        elif alert is not None:
            alert.log.append(event)
            states = {"acknowledge": "acknowledged", "resolve": "resolved"}
            alert.state = states.get(event["event_action"], alert.state)


def _errors(request: Request) -> list[str]:
    """Why it is no event."""
    if request.path != "/v2/enqueue" or request.headers.get("content-type") != "application/json":
        return ["not here"]
    if len(request.body) > 512 * 1024:
        return ["too large"]
    try:
        event = json.loads(request.body)
    except ValueError:
        return ["no JSON"]
    errors = [f"unknown field '{name}'" for name in event.keys() - _TOP]
    if event.get("routing_key") != KEY:
        errors.append("'routing_key' is missing or invalid")
    if event.get("event_action") not in {"trigger", "acknowledge", "resolve"}:
        errors.append("'event_action' is missing or invalid")
    if len(event.get("dedup_key", "")) > 255:
        errors.append("'dedup_key' is too long")
    if event.get("event_action") == "trigger":
        errors += _payload_errors(event.get("payload", {}))
    return errors + [e for link in event.get("links", ()) for e in _link_errors(link)]


def _payload_errors(payload: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"unknown field 'payload.{name}'" for name in payload.keys() - _PAYLOAD)
    for name in ("summary", "source", "severity"):
        if not payload.get(name):
            yield f"'payload.{name}' is missing or blank"
    texts = _TEXTS & payload.keys()
    yield from (f"'{name}' is no text" for name in texts if not isinstance(payload[name], str))
    if len(str(payload.get("summary", ""))) > 1024:
        yield "'payload.summary' is too long"
    if payload.get("severity") not in {"critical", "error", "warning", "info"}:
        yield "'payload.severity' is invalid"
    if "timestamp" in payload:
        datetime.fromisoformat(payload["timestamp"])
    if not isinstance(payload.get("custom_details", {}), dict):
        yield "'payload.custom_details' is no object"


def _link_errors(link: Mapping[str, Any]) -> Iterator[str]:
    if link.keys() - {"href", "text"} or not link.get("href", "").startswith("http"):
        yield "'links' is invalid"


@contextmanager
def pager() -> Iterator[Pager]:
    """A PagerDuty; `url` is what the address of its API is in place of the real one."""
    one = Pager()
    with serving(one.answer) as where:
        one.url = f"{where}/v2/enqueue"
        yield one
