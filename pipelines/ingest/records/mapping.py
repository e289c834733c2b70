"""A mapping from its YAML text: under which paths a convention puts what is known of a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Table
from functools import cache
from pathlib import Path

import msgspec
import yaml

from detector.errors import ConfigError
from detector.logs.lines import Level
from pipelines.ingest.records.levels import WORDS, Scale
from pipelines.yaml_files import shipped_texts, texts_of, tree_of

__all__ = ["Mapping", "NumberedPath", "load_mappings", "parse_mapping", "shipped_mappings"]

Paths = tuple[str, ...]


class NumberedPath(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a level is whose numbers are of a scale."""

    path: str
    numbers: Scale


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Paths of each thing, the preferred one first.

    A path is names joined by dots, and fits however a sender split them: nested objects, names with
    dots in them, or both. `when`: a record that has one of these is of this convention.
    `extends`: mappings whose paths come after its own.
    """

    name: str
    title: str = ""
    published: tuple[str, ...] = ()
    when: Paths = ()
    extends: Paths = ()
    time: Paths = ()
    text: Paths = ()
    stack: Paths = ()
    level: tuple[str | NumberedPath, ...] = ()
    service: Paths = ()
    namespace: Paths = ()
    cluster: Paths = ()
    pod: Paths = ()
    version: Paths = ()
    trace: Paths = ()
    # The file that a line was read from: the path of a pod's log tells the pod.
    file: Paths = ()
    # Words of a logger's own, as people write levels in their language.
    words: dict[str, str] = {}

    @property
    def levels(self) -> Table[str, Level]:
        """Level by word, the mapping's own words first."""
        return {**WORDS, **{word.lower(): Level[to.upper()] for word, to in self.words.items()}}


def parse_mapping(text: str, *, origin: str) -> Mapping:
    """The mapping in a YAML text; `ConfigError` names `origin` and what is wrong."""
    try:
        mapping = msgspec.convert(tree_of(text), Mapping)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{origin}: is no mapping of fields: {error}") from None
    unknown = [to for to in mapping.words.values() if to.upper() not in Level.__members__]
    if unknown:
        there = ", ".join(level.name.lower() for level in Level)
        raise ConfigError(f"{origin}: words: {unknown[0]!r} is no level; there are {there}")
    return mapping


@cache
def shipped_mappings() -> tuple[Mapping, ...]:
    """The mappings of this version, whole, by name of the file."""
    return _whole(_shipped())


def _shipped() -> list[Mapping]:
    texts = shipped_texts("pipelines.ingest.records.mappings")
    return [parse_mapping(text, origin=origin) for origin, text in texts]


def load_mappings(places: Sequence[Path] = ()) -> tuple[Mapping, ...]:
    """Those of files and folders, then the shipped ones; of one name the first holds.

    `ConfigError` names the file that cannot be read or is no mapping.
    """
    own = [parse_mapping(text, origin=origin) for origin, text in texts_of(places)]
    named = {mapping.name for mapping in own}
    if len(named) < len(own):
        raise ConfigError(f"{places[0]}: two mappings have one name; give each its own")
    shipped = [mapping for mapping in _shipped() if mapping.name not in named]
    every = _whole([*own, *shipped])
    return tuple(sorted(every, key=lambda mapping: mapping.name not in named))


def _whole(mappings: Sequence[Mapping]) -> tuple[Mapping, ...]:
    """Each with the paths of those that it extends behind its own; who extends more comes first.

    A record of Filebeat is one of the Elastic Common Schema too: it is asked for what is special
    before what is general.
    """
    named = {mapping.name: mapping for mapping in mappings}
    special = sorted(mappings, key=lambda mapping: -len(mapping.extends))
    return tuple(_extended(mapping, named) for mapping in special)


def _extended(mapping: Mapping, named: Table[str, Mapping]) -> Mapping:
    for name in _ancestors(mapping, named, (mapping.name,)):
        other = named[name]
        more = {
            field: tuple(dict.fromkeys((*getattr(mapping, field), *getattr(other, field))))
            for field in _JOINED
        }
        mapping = msgspec.structs.replace(mapping, words={**other.words, **mapping.words}, **more)
    return msgspec.structs.replace(mapping, extends=())


def _ancestors(mapping: Mapping, named: Table[str, Mapping], above: Paths) -> Iterator[str]:
    """All that a mapping extends, each followed by what it extends itself."""
    for name in mapping.extends:
        if name not in named:
            there = ", ".join(named)
            raise ConfigError(f"{mapping.name}: extends {name!r}, which is not there: {there}")
        if name in above:
            circle = ", ".join((*above[above.index(name) :], name))
            raise ConfigError(f"{mapping.name}: extends itself: {circle}")
        yield name
        yield from _ancestors(named[name], named, (*above, name))


_JOINED = (
    "time", "text", "stack", "level", "service", "namespace", "cluster", "pod", "version", "trace",
    "file",
)  # fmt: skip
