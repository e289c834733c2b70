"""Texts made of what a payload says: `{path}` is the value there, `{@Name}` a header."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from detector.errors import ConfigError

__all__ = ["Payload", "check_text", "first_text", "text", "value_at"]

_PLACE = re.compile(r"\{([^{}|]+)(?:\|([a-z]+))?\}")
_SHORT, _SCALARS = 12, (str, int, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What came: a body as JSON has it, and headers under their names in lower case.

    `names` are values that were taken out of others by a pattern.
    """

    body: Any
    headers: Mapping[str, str]
    names: Mapping[str, str]

    def value(self, path: str) -> Any:  # noqa: ANN401 - what JSON has
        """What a place stands for; None where there is nothing."""
        if path.startswith("@"):
            return self.headers.get(path[1:].lower())
        if path in self.names:
            return self.names[path]
        return self.body if path == "." else value_at(self.body, path)


def value_at(tree: Any, path: str) -> Any:  # noqa: ANN401 - what JSON has
    """The value under names and numbers joined by dots; names may have dots in them.

    >>> value_at({"a": [{"b.c": 1}]}, "a.0.b.c")
    1
    """
    if type(tree) is list:
        head, _, rest = path.partition(".")
        inside = head.isdecimal() and len(head) < 6 and int(head) < len(tree)
        found = tree[int(head)] if inside else None
        return found if found is None or not rest else value_at(found, rest)
    return _value_in(tree, path) if type(tree) is dict else None


def _value_in(tree: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - what JSON has
    """The shortest name first."""
    if path.count(".") > 12:
        return None
    cut = path.find(".")
    while cut >= 0:
        below = tree.get(path[:cut])
        found = None if below is None else value_at(below, path[cut + 1 :])
        if found is not None:
            return found
        cut = path.find(".", cut + 1)
    return tree.get(path)


def text(template: str, payload: Payload) -> str | None:
    """A template with its places filled; None where one of them has nothing to say."""
    if "{" not in template:
        return template
    said: list[str] = []
    end = 0
    for start, stop, path, cut in _places(template):
        word = _word(payload.value(path))
        if not word:
            return None
        said += [template[end:start], _FILTERS[cut](word) if cut else word]
        end = stop
    return "".join([*said, template[end:]])


def first_text(templates: tuple[str, ...], payload: Payload) -> str:
    """The first that can be filled, an empty word where none can."""
    filled = (text(template, payload) for template in templates)
    return next((word for word in filled if word), "")


def check_text(template: str) -> None:
    """`ConfigError` where a place is not closed, empty, or cut by what there is not."""
    unknown = [cut for *_, cut in _places(template) if cut and cut not in _FILTERS]
    if unknown:
        raise ConfigError(f"{template!r}: |{unknown[0]} is none of {', '.join(_FILTERS)}")
    if "{" in _PLACE.sub("", template) or "}" in _PLACE.sub("", template):
        raise ConfigError(f"{template!r}: write places as {{path}} or {{path|filter}}")


@lru_cache(maxsize=4096)
def _places(template: str) -> tuple[tuple[int, int, str, str | None], ...]:
    found = _PLACE.finditer(template)
    return tuple((one.start(), one.end(), one[1].strip(), one[2]) for one in found)


def _word(value: Any) -> str | None:  # noqa: ANN401 - what JSON has
    """Words and numbers; anything else says nothing."""
    if type(value) is bool:
        return "true" if value else "false"
    return str(value).strip() if isinstance(value, _SCALARS) else None


def _tag(image: str) -> str:
    """Of `registry:5000/shop/checkout:v2@sha256:…` it is `v2`; else the digest, shortened."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag or digest.rpartition(":")[2][:_SHORT]


_FILTERS: Mapping[str, Callable[[str], str]] = {
    "short": lambda word: word[:_SHORT],
    "last": lambda word: word.rstrip("/").rpartition("/")[2],
    "line": lambda word: word.partition("\n")[0].strip(),
    "lower": str.lower,
    "tag": _tag,
}
