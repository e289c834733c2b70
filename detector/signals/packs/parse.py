"""A pack from its YAML text, refused by name where it says what no pack can say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

import msgspec
import yaml

from detector.errors import ConfigError, InputError
from detector.selector import matches
from detector.series import Matcher, MatchOp
from detector.signals.packs.schema import Durations, Pack, Requests, Resource

__all__ = ["parse_pack"]


def parse_pack(text: str, *, origin: str) -> Pack:
    """The pack in a YAML text; `ConfigError` names `origin`, the key, and what is allowed."""
    tree = _tree(text, origin)
    for where, key, allowed in _unknown(tree, Pack, ""):
        raise ConfigError(f"{origin}: unknown key {where}{key}; there are {', '.join(allowed)}")
    try:
        pack = msgspec.convert(tree, Pack)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{origin}: {_told(str(error))}") from None
    _check(pack, origin)
    return pack


def _tree(text: str, origin: str) -> dict[Any, Any]:
    try:
        tree = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{origin}: is not YAML: {error}") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{origin}: a pack is a mapping of keys: {', '.join(_fields(Pack))}")
    return tree


def _fields(part: Any) -> dict[str, Any]:  # noqa: ANN401 - a struct type
    return {field.encode_name: field.type for field in msgspec.structs.fields(part)}


def _unknown(tree: Any, kind: Any, where: str) -> Iterator[tuple[str, object, list[str]]]:  # noqa: ANN401
    """Keys that their part does not have, with those that it has."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(tree, dict):
        fields = _fields(kind)
        for key, value in tree.items():
            if key not in fields:
                yield where, key, list(fields)
            else:
                yield from _unknown(value, fields[key], f"{where}{key}.")
    elif isinstance(tree, list) and get_args(kind):
        for at, value in enumerate(tree):
            yield from _unknown(value, get_args(kind)[0], f"{where.removesuffix('.')}[{at}].")


def _told(message: str) -> str:
    """The decoder's message with the key in front."""
    what, _, where = message.partition(" - at `$")
    key = where.strip("`.")
    return f"{key}: {what}" if key else what


def _check(pack: Pack, origin: str) -> None:
    if not (pack.requests or pack.resources):
        raise ConfigError(f"{origin}: {pack.name!r} has neither requests nor resources")
    if pack.durations and not pack.requests:
        raise ConfigError(f"{origin}: durations: without requests there is nothing to judge")
    for key, label, pattern in _patterns(pack):
        try:
            matches(Matcher(label, MatchOp.MATCHES, pattern), {})
        except InputError as error:
            raise ConfigError(f"{origin}: {key}: {error}") from None
    for durations in pack.durations:
        if not durations.metric.endswith("_bucket") or not durations.scale > 0:
            raise ConfigError(
                f"{origin}: durations: {durations.metric!r} must end in _bucket, its scale be > 0"
            )


def _patterns(pack: Pack) -> Iterator[tuple[str, str, str]]:
    """Every regular expression of a pack with its key and label."""
    yield from _of("health", pack.health)
    for at, requests in enumerate(pack.requests):
        errors = requests.errors
        yield f"requests[{at}].errors.match", "errors", errors.match
        yield from _of(f"requests[{at}].errors.without", errors.without)
    parts: dict[str, Sequence[Requests | Durations | Resource]] = {
        "requests": pack.requests,
        "durations": pack.durations,
        "resources": pack.resources,
    }
    for kind, group in parts.items():
        for at, part in enumerate(group):
            yield from _of(f"{kind}[{at}].where", part.where)
            yield from _of(f"{kind}[{at}].without", part.without)


def _of(key: str, patterns: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for label, pattern in patterns.items():
        yield f"{key}.{label}", label, pattern
