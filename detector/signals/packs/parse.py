"""A pack from its YAML text, refused by name where it says what no pack can say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

import msgspec
import yaml

from detector.errors import ConfigError, InputError
from detector.selector import matches
from detector.series import Matcher, MatchOp
from detector.signals.packs.schema import Durations, Pack, Requests, Resource, Role
from detector.signals.signal import Shape

__all__ = ["parse_pack"]

# How a metric of each role can be read: a start time counts its changes as restarts.
_SHAPES = {
    Role.START_TIME: (Shape.START_TIME,),
    Role.RESTARTS: (Shape.COUNTER, Shape.START_TIME),
    Role.OOM: (Shape.COUNTER,),
    Role.CPU: (Shape.COUNTER, Shape.GAUGE),
    Role.MEMORY: (Shape.GAUGE,),
}

# Ten packs take 80 ms in Python and 6 in C, of a command line that answers within a second.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
        tree = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader
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
    """What the types alone do not say."""
    for problem in _problems(pack):
        raise ConfigError(f"{origin}: {problem}")


def _problems(pack: Pack) -> Iterator[str]:
    if pack.durations and not pack.requests:
        yield "durations: without requests they have no traffic to belong to"
    if not (pack.requests or pack.resources):
        yield f"{pack.name!r} has neither requests nor resources"
    for at, durations in enumerate(pack.durations):
        if not durations.metric.endswith("_bucket"):
            yield f"durations[{at}].metric: {durations.metric!r} does not end in _bucket"
        if not 0 < durations.scale < math.inf:
            yield f"durations[{at}].scale: {durations.scale} is no factor to seconds"
    for at, resource in enumerate(pack.resources):
        if resource.shape not in _SHAPES[resource.role]:
            allowed = ", ".join(shape.value for shape in _SHAPES[resource.role])
            yield f"resources[{at}].shape: for the role {resource.role} it is one of {allowed}"
    for key, label, pattern in _patterns(pack):
        try:
            matches(Matcher(label, MatchOp.MATCHES, pattern), {})
        except InputError as error:
            yield f"{key}: {error}"


def _patterns(pack: Pack) -> Iterator[tuple[str, str, str]]:
    """Every regular expression of a pack with its key and label."""
    yield from _of("health", pack.health)
    for at, requests in enumerate(pack.requests):
        errors = requests.errors
        yield f"requests[{at}].errors.match", "errors", errors.match
        yield f"requests[{at}].errors.like", "errors", errors.like
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
