"""A mapping from its YAML text: where one sender's payloads have what is told of a change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec
import re2
import yaml

from detector.changes.change import ChangeKind, ChangePhase
from detector.errors import ConfigError
from pipelines.changes.texts import check_text
from pipelines.yaml_files import shipped_texts, texts_of, tree_of

__all__ = [
    "ChangeMapping",
    "Event",
    "Found",
    "Signature",
    "Worded",
    "load_change_mappings",
    "parse_change_mapping",
    "shipped_change_mappings",
]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
Texts = tuple[str, ...]


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a sender proves who it is.

    `hmac`: a header has the HMAC of the body, with the digest, behind a prefix. `token`: a header
    has the secret itself. `standard`: Standard Webhooks 1.0, with id and time.
    """

    scheme: Literal["hmac", "token", "standard"]
    header: str = ""
    digest: Literal["sha256", "sha512"] = "sha256"
    prefix: str = ""


class Worded(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A word of ours by the sender's word. Without `otherwise` what has none is no news."""

    of: Texts
    words: dict[str, str] = {}
    otherwise: str = ""


class Found(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parts of a text: the pattern's named groups can be used like paths."""

    of: Texts
    pattern: str


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of payload. Each field is a text, or several of which the first that is there holds.

    `when`: texts, and the words that each may be; `*` is any. `each`: the list whose items are
    events, seen as `item`.
    """

    when: dict[str, Texts] = {}
    each: str = ""
    found: tuple[Found, ...] = ()
    id: Texts
    time: Texts = ()
    source: Texts = ()
    subject: Texts
    kind: str | Worded
    phase: str | Worded = ChangePhase.SUCCEEDED.value
    service: Texts = ()
    namespace: Texts = ()
    cluster: Texts = ()
    environment: Texts = ()
    version: Texts = ()
    artifact: Texts = ()
    title: Texts = ()
    actor: Texts = ()
    link: Texts = ()
    attributes: dict[str, Texts] = {}


class ChangeMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one sender posts. Every event that fits a payload reads it."""

    name: str
    title: str
    published: tuple[str, ...] = ()
    signature: Signature | None = None
    events: tuple[Event, ...]


def parse_change_mapping(text: str, *, origin: str) -> ChangeMapping:
    """The mapping in a YAML text; `ConfigError` names `origin` and what is wrong."""
    try:
        mapping = msgspec.convert(_listed(tree_of(text)), ChangeMapping)
        _check(mapping)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{origin}: is no mapping of changes: {error}") from None
    except ConfigError as error:
        raise ConfigError(f"{origin}: {error}") from None
    return mapping


_ONE_TEXT = ("id", "time", "source", "subject", "service", "namespace", "cluster", "environment",
             "version", "artifact", "title", "actor", "link")  # fmt: skip


def _listed(tree: object) -> object:
    """A text alone stands for a list of one."""
    if not isinstance(tree, dict) or not isinstance(tree.get("events"), list):
        return tree
    return {**tree, "events": [_listed_event(event) for event in tree["events"]]}


def _listed_event(event: object) -> object:
    if not isinstance(event, dict):
        return event
    whole = {key: _one(value) if key in _ONE_TEXT else value for key, value in event.items()}
    for key in ("when", "attributes"):
        if isinstance(event.get(key), dict):
            whole[key] = {name: _one(value) for name, value in event[key].items()}
    for key in ("kind", "phase"):
        if isinstance(event.get(key), dict):
            whole[key] = {**event[key], "of": _one(event[key].get("of"))}
    if isinstance(event.get("found"), list):
        whole["found"] = [
            {**one, "of": _one(one.get("of"))} if isinstance(one, dict) else one
            for one in event["found"]
        ]
    return whole


def _one(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _check(mapping: ChangeMapping) -> None:
    if _NAME.fullmatch(mapping.name) is None:
        raise ConfigError(f"name: {mapping.name!r}: small letters, digits and -, at most 63")
    if (
        mapping.signature
        and mapping.signature.scheme != "standard"
        and not mapping.signature.header
    ):
        raise ConfigError("signature: names no header")
    for event in mapping.events:
        _check_words(event.kind, ChangeKind)
        _check_words(event.phase, ChangePhase)
        for found in event.found:
            _check_pattern(found.pattern)
        for template in _texts(event):
            check_text(template)


def _check_words(field: str | Worded, of: type[ChangeKind] | type[ChangePhase]) -> None:
    words = [field] if isinstance(field, str) else [*field.words.values(), field.otherwise]
    unknown = [word for word in words if word and word not in list(of)]
    if unknown:
        raise ConfigError(f"{unknown[0]!r} is none of {', '.join(of)}")


def _check_pattern(pattern: str) -> None:
    try:
        re2.compile(pattern)
    except re2.error as error:
        raise ConfigError(f"pattern {pattern!r}: {error}") from None


def _texts(event: Event) -> Iterator[str]:
    for name in _ONE_TEXT:
        yield from getattr(event, name)
    yield from event.when
    for texts in (*event.attributes.values(), *(found.of for found in event.found)):
        yield from texts
    for field in (event.kind, event.phase):
        yield from () if isinstance(field, str) else field.of


@cache
def shipped_change_mappings() -> Mapping[str, ChangeMapping]:
    """The mappings of this version by name."""
    texts = shipped_texts("pipelines.changes.mappings")
    parsed = [parse_change_mapping(text, origin=origin) for origin, text in texts]
    return {mapping.name: mapping for mapping in parsed}


def load_change_mappings(places: Sequence[Path] = ()) -> Mapping[str, ChangeMapping]:
    """The shipped ones, and those of files and folders, which stand before a shipped namesake."""
    own = [parse_change_mapping(text, origin=origin) for origin, text in texts_of(places)]
    if len({mapping.name for mapping in own}) < len(own):
        raise ConfigError(f"{places[0]}: two mappings have one name; give each its own")
    return {**shipped_change_mappings(), **{mapping.name: mapping for mapping in own}}
