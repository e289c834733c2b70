"""What the types of a capacity pack do not say: which queries and names make sense."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from detector.capacity.packs.fill import RATE, names_in
from detector.capacity.packs.schema import CapacityPack, Driver, Measured

__all__ = ["flaw_of", "problems"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_COUNTER = re.compile(r"(?<![\w:])[a-zA-Z_:][\w:]*_total\b")
_COUNTED = re.compile(r"(?<!\w)(?:rate|increase|irate)\s*\(\s*$")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"' + r"|'(?:[^'\\]|\\.)*'")
_PAIRS = {")": "(", "]": "[", "}": "{"}
_LONGEST = 4000


def problems(pack: CapacityPack) -> Iterator[str]:
    """What is wrong with a pack whose keys and types are right, each with its key in front."""
    if not pack.resources:
        yield f"resources: {pack.name!r} has none"
    yield from _named("name", pack.name)
    if RATE in pack.parts:
        yield "parts.rate: the window of rates is called that"
    seen: set[str] = set()
    for at, one in enumerate(pack.resources):
        if one.name in seen:
            yield f"resources[{at}].name: {one.name!r} is there already"
        seen.add(one.name)
        yield from _measured(f"resources[{at}]", one, pack)
    for at, driver in enumerate(pack.drivers):
        yield from _driver(f"drivers[{at}]", driver, pack)


def flaw_of(query: str) -> str | None:
    """What is wrong with a query of PromQL as far as its text shows; None where nothing is.

    >>> flaw_of("sum(requests_total)")
    "the counter 'requests_total' is read by rate() or increase()"
    >>> flaw_of('sum by (pool) (rate(requests_total{code=~"5.."}[5m]))')
    """
    if not query.strip():
        return "is empty"
    if len(query) > _LONGEST:
        return f"is over {_LONGEST:,} characters"
    bare = _TEXT.sub('""', query)
    if not _is_balanced(bare):
        return "brackets do not match"
    for found in _COUNTER.finditer(bare):
        if not _COUNTED.search(bare[: found.start()]):
            return f"the counter {found[0]!r} is read by rate() or increase()"
    return None


def _is_balanced(text: str) -> bool:
    opened: list[str] = []
    for letter in text:
        if letter in _PAIRS.values():
            opened.append(letter)
        elif letter in _PAIRS and (not opened or opened.pop() != _PAIRS[letter]):
            return False
    return not opened


def _measured(key: str, one: Measured, pack: CapacityPack) -> Iterator[str]:
    yield from _named(f"{key}.name", one.name)
    if not one.unit.strip():
        yield f"{key}.unit: say in what usage and limit are measured"
    if not one.needs:
        yield f"{key}.needs: say which metrics it cannot be read without"
    if isinstance(one.limit, float) and not 0 < one.limit < math.inf:
        yield f"{key}.limit: {one.limit} is no limit"
    if one.driven and not pack.drivers:
        yield f"{key}.driven: the pack names no drivers"
    for name in ("usage", "limit", "requested", "replicas"):
        query = getattr(one, name)
        if isinstance(query, str):
            yield from _query(f"{key}.{name}", query, pack)


def _driver(key: str, driver: Driver, pack: CapacityPack) -> Iterator[str]:
    if not driver.needs:
        yield f"{key}.needs: say which metrics it cannot be read without"
    yield from _query(f"{key}.query", driver.query, pack)


def _query(key: str, query: str, pack: CapacityPack) -> Iterator[str]:
    for name in names_in(query):
        if name not in pack.parts and name != RATE:
            known = ", ".join(sorted({RATE, *pack.parts}))
            yield f"{key}: there is no part {name!r}; there are {known}"
    flaw = flaw_of(query)
    if flaw is not None:
        yield f"{key}: {flaw}"


def _named(key: str, name: str) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield f"{key}: {name!r} is no name in lower case, as node_memory"
