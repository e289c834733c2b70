"""A payload as events, by the mapping of who sent it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from typing import Any

import msgspec
import re2

from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase, Place
from detector.errors import InputError
from pipelines.changes.mapping import ChangeMapping, Event, Found, Worded
from pipelines.changes.moments import moment_ms, sane_ms
from pipelines.changes.texts import Payload, first_text

__all__ = ["EVENTS_MAX", "events_of", "fitted_event"]

EVENTS_MAX, MINUTE_MS = 1000, 60_000
_WORD_MAX, _TITLE_MAX, _LINK_MAX, _ATTRIBUTES_MAX = 253, 300, 2000, 20
_MATCHED_MAX = 4096
_LINKS = ("https://", "http://")


def events_of(
    mapping: ChangeMapping,
    body: bytes,
    headers: Mapping[str, str],
    *,
    now: int,
    redact: Callable[[str], str],
) -> tuple[ChangeEvent, ...]:
    """The events in a body; none where the mapping says that such a payload is no news.

    `now` is unix milliseconds, headers are named in lower case. `InputError` where the body is no
    JSON, or a payload that is news lacks its id or its subject, or has too many events.
    """
    tree, names = _json(body), {"digest": sha256(body).hexdigest(), "minute": str(now // MINUTE_MS)}
    payload = Payload(body=tree, headers=headers, names=names)
    fitting = (event for event in mapping.events if _fits(event, payload))
    read = [
        _event(mapping, event, item, now) for event in fitting for item in _items(event, payload)
    ]
    return tuple(fitted_event(one, redact) for one in read if one is not None)


def _json(body: bytes) -> Any:  # noqa: ANN401 - what JSON has
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"is no JSON: {error}", field="body") from None


def _fits(event: Event, payload: Payload) -> bool:
    for template, wanted in event.when.items():
        word = first_text((template,), payload)
        if not word or ("*" not in wanted and word not in wanted):
            return False
    return True


def _items(event: Event, payload: Payload) -> Iterator[Payload]:
    """The payload, or each item of its list beside it."""
    if not event.each:
        yield payload
        return
    items = payload.value(event.each)
    if isinstance(items, dict):
        items = [{"name": name, "value": value} for name, value in items.items()]
    if not isinstance(items, list):
        return
    if len(items) > EVENTS_MAX:
        raise InputError(f"has {len(items):,} items; at most {EVENTS_MAX:,}", field=event.each)
    whole = payload.body if isinstance(payload.body, dict) else {}
    for item in items:
        yield replace(payload, body={**whole, "item": item})


def _event(mapping: ChangeMapping, event: Event, payload: Payload, now: int) -> ChangeEvent | None:
    payload = replace(payload, names={**payload.names, **_names(event.found, payload)})
    kind, phase = _worded(event.kind, payload), _worded(event.phase, payload)
    if not kind or not phase:
        return None
    said = {name: first_text(getattr(event, name), payload) for name in _TEXTS}
    return ChangeEvent(
        source=said["source"] or f"/{mapping.name}",
        id=_needed("id", event.id, payload),
        subject=_needed("subject", event.subject, payload),
        at=sane_ms(moment_ms(first_text(event.time, payload)), now),
        kind=ChangeKind(kind),
        phase=ChangePhase(phase),
        place=Place(**{name: said[name] for name in _PLACE}),
        attributes=_attributes(event, payload),
        version=said["version"],
        artifact=said["artifact"],
        title=said["title"],
        actor=said["actor"],
        link=said["link"],
    )


_PLACE = ("service", "namespace", "cluster", "environment")
_TEXTS = (*_PLACE, "source", "version", "artifact", "title", "actor", "link")


def _needed(name: str, templates: Sequence[str], payload: Payload) -> str:
    word = first_text(tuple(templates), payload)
    if not word:
        raise InputError(f"says none of {', '.join(templates)}", field=name)
    return word


def _worded(field: str | Worded, payload: Payload) -> str:
    if isinstance(field, str):
        return field
    return field.words.get(first_text(field.of, payload), field.otherwise)


def _names(found: Sequence[Found], payload: Payload) -> dict[str, str]:
    names: dict[str, str] = {}
    for one in found:
        match = _pattern(one.pattern).search(first_text(one.of, payload)[:_MATCHED_MAX])
        names |= {name: word or "" for name, word in match.groupdict().items()} if match else {}
    return names


@lru_cache(maxsize=1024)
def _pattern(text: str) -> Any:  # noqa: ANN401 - re2 has no types
    return re2.compile(text)


def _attributes(event: Event, payload: Payload) -> tuple[tuple[str, str], ...]:
    said = ((name, first_text(texts, payload)) for name, texts in event.attributes.items())
    return tuple((name, word) for name, word in said if word)


def fitted_event(event: ChangeEvent, redact: Callable[[str], str]) -> ChangeEvent:
    """The event fit to be kept and shown: secrets hidden, words of bounded length, safe links."""
    place = event.place
    return replace(
        event,
        place=Place(**{name: _cut(getattr(place, name), _WORD_MAX) for name in _PLACE}),
        version=_cut(event.version, _WORD_MAX),
        artifact=_cut(event.artifact, _LINK_MAX),
        title=_cut(redact(_cut(event.title, _MATCHED_MAX)), _TITLE_MAX),
        actor=_cut(event.actor, _WORD_MAX),
        link=event.link if event.link.startswith(_LINKS) and len(event.link) <= _LINK_MAX else "",
        attributes=tuple(
            (_cut(name, _WORD_MAX), _cut(redact(_cut(word, _MATCHED_MAX)), _TITLE_MAX))
            for name, word in event.attributes[:_ATTRIBUTES_MAX]
        ),
    )


def _cut(word: str, most: int) -> str:
    """One line without what a terminal or a store could stumble over."""
    plain = "".join(letter if letter.isprintable() else " " for letter in word[:_MATCHED_MAX])
    return plain if len(plain) <= most else plain[: most - 1] + "…"
