"""A JSON document of the user's whose strings name fields of a notice: no language, no code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from detector.alerts.brief import IncidentBrief
from detector.errors import ConfigError
from detector.gate.render import Json, utc_text
from detector.gate.telling import Notice
from detector.gate.verdict import Verdict
from pipelines.notify.incident_data import incident_data
from pipelines.notify.plain import page_of, plain_of, subject_of

__all__ = ["FIELDS", "Template"]

_MOST, _DEEP = 64 * 1024, 32
_PARTS = re.compile(r"(\{\{|\}\}|\{[^{}]*\}|[{}])")
_LABEL = re.compile(r"incident\.labels\.[a-zA-Z_][a-zA-Z0-9_]*")
_INCIDENT = (
    "id", "state", "severity", "event", "sequence", "title", "since", "told_at", "until",
    "services", "count", "no_change", "into",
)  # fmt: skip

Field = Callable[[Notice, str | None], Json]


def _of_incident(name: str) -> Field:
    return lambda notice, _url: _incident(notice).get(name)


def _incident(notice: Notice) -> Mapping[str, Json]:
    return {} if notice.incident is None else incident_data(notice.incident)


def _brief(read: Callable[[IncidentBrief], Json]) -> Field:
    return lambda notice, _url: None if notice.incident is None else read(notice.incident)


def _verdict(read: Callable[[Verdict], Json]) -> Field:
    return lambda notice, _url: None if notice.verdict is None else read(notice.verdict)


FIELDS: Mapping[str, Field] = {
    "notice.id": lambda notice, _url: notice.id,
    "notice.kind": lambda notice, _url: notice.kind.value,
    "notice.time": lambda notice, _url: utc_text(datetime.fromtimestamp(notice.at, UTC)),
    "notice.tenant": lambda notice, _url: notice.tenant,
    "notice.title": lambda notice, _url: notice.title,
    "notice.headline": lambda notice, url: plain_of(notice, url).headline,
    "notice.text": lambda notice, _url: notice.text,
    "notice.advice": lambda notice, url: plain_of(notice, url).advice,
    "notice.body": lambda notice, url: "\n".join(plain_of(notice, url).lines),
    "notice.service": lambda notice, _url: subject_of(notice),
    "notice.url": page_of,
    **{f"incident.{name}": _of_incident(name) for name in _INCIDENT},
    "incident.cause": _brief(lambda of: of.causes[0].title if of.causes else None),
    "incident.signs": _brief(lambda of: [sign.text for sign in of.signs]),
    "incident.note": _brief(lambda of: of.note or None),
    "verdict.id": _verdict(lambda of: of.id),
    "verdict.service": _verdict(lambda of: of.service),
    "verdict.rollout": _verdict(lambda of: of.rollout),
    "verdict.revision": _verdict(lambda of: of.revision),
    "verdict.outcome": _verdict(lambda of: of.outcome.value),
    "verdict.answer": _verdict(lambda of: of.answer.value),
    "verdict.mode": _verdict(lambda of: of.mode.value),
    "verdict.reason": _verdict(lambda of: str(of.reason.code)),
}


@dataclass(frozen=True, slots=True)
class Template:
    """A document that was checked; what is filled in is data and never looked at again."""

    tree: Json

    @classmethod
    def read(cls, text: str, place: str) -> Template:
        """`ConfigError` for what is no JSON, too large, or names a field that there is not."""
        if len(text) > _MOST:
            raise ConfigError(f"{place}: template: at most {_MOST} characters")
        try:
            tree: Json = msgspec.json.decode(text)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
            raise ConfigError(f"{place}: template: no JSON: {error}") from error
        for words in _strings(tree, place, _DEEP):
            _check(words, place)
        return cls(tree)

    def filled(self, notice: Notice, public_url: str | None) -> bytes:
        """The document of a notice, as JSON."""
        return msgspec.json.encode(_filled(self.tree, notice, public_url))


def _strings(tree: Json, place: str, levels: int) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    if not isinstance(tree, (dict, list)):
        return
    if levels == 0:
        raise ConfigError(f"{place}: template: more than {_DEEP} levels")
    for one in tree.values() if isinstance(tree, dict) else tree:
        yield from _strings(one, place, levels - 1)


def _check(text: str, place: str) -> None:
    for part in _PARTS.findall(text):
        if part in {"{{", "}}"}:
            continue
        if part in {"{", "}"}:
            raise ConfigError(f"{place}: template: a brace alone in {text!r}; write it twice")
        if _field(part) is None:
            known = ", ".join(FIELDS)
            raise ConfigError(f"{place}: template: {part} is no field; there are {known}")


def _field(part: str) -> Field | None:
    name = part[1:-1]
    if _LABEL.fullmatch(name):
        label = name.rpartition(".")[2]
        return _brief(lambda of: dict(of.labels).get(label))
    return FIELDS.get(name)


def _filled(tree: Json, notice: Notice, url: str | None) -> Json:
    match tree:
        case str():
            return _text(tree, notice, url)
        case list():
            return [_filled(one, notice, url) for one in tree]
        case dict():
            return {name: _filled(one, notice, url) for name, one in tree.items()}
    return tree


def _text(text: str, notice: Notice, url: str | None) -> Json:
    """A string that is one field is its value, be it a number, a list or null."""
    parts = [part for part in _PARTS.split(text) if part]
    if len(parts) == 1:
        field = _field(parts[0])
        return field(notice, url) if field is not None else _shown(parts[0], notice, url)
    return "".join(_shown(part, notice, url) for part in parts)


def _shown(part: str, notice: Notice, url: str | None) -> str:
    if part in {"{{", "}}"}:
        return part[0]
    field = _field(part) if part.startswith("{") else None
    return part if field is None else _words(field(notice, url))


def _words(value: Json) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case list():
            return ", ".join(_words(one) for one in value)
    return msgspec.json.encode(value).decode()
