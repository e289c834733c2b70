"""Whether the arrays of a state belong together: what is damaged is refused before it is read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from detector.logs.lines import Level
from detector.logs.rows import FIELDS, FREE, WORDS
from detector.logs.services import Services
from detector.stream.anomaly import AnomalyKind, Severity
from detector.stream.scoring import Arrays

__all__ = ["NOTE", "NOTED", "NUMBERS", "STORY", "TELLING", "check_whole"]

# Parts of a state that have an array each, or a number.
NUMBERS = ("watermark", "swept", "ahead", "behind", "skewed", "unwatched")
STORY = ("start", "newest", "is_deploy", "is_learned", "is_counted", "is_told")
TELLING = ("is_deploy", "service", "start", "newest", "members", "told_members", "told_lines")
NOTED = ("level", "start", "last", "is_over")
NOTE = ("template", "level", "title", "text", "line")
_ENDS = ".ends"


def check_whole(arrays: Arrays) -> None:
    """`ValueError` where an array is missing, too long or too short, or names what is not there."""
    try:
        wrong = next(_wrong(arrays), None)
    except KeyError as error:
        raise ValueError(f"a state of logs is not whole: {error} is missing") from error
    if wrong is not None:
        raise ValueError(f"a state of logs is not whole: {wrong} does not fit the rest")


def _wrong(arrays: Arrays) -> Iterator[str]:
    yield from (name for name, size in _sizes(arrays) if len(arrays[name]) != size)
    for name in (one.removesuffix(_ENDS) for one in arrays if one.endswith(_ENDS)):
        steps = np.diff(arrays[name + _ENDS], prepend=0, append=len(arrays[name]))
        if (steps < 0).any() or steps[-1] != 0:
            yield name
    for name, least, most in _bounds(arrays):
        if ((arrays[name] < least) | (arrays[name] >= most)).any():
            yield name


def _sizes(arrays: Arrays) -> Iterator[tuple[str, int]]:
    """By array how many it must have."""
    rows, services = len(arrays["row.service"]), len(arrays["service.first"])
    yield "logs", 1 + len(NUMBERS)
    yield from ((f"row.{name}", rows) for name in FIELDS)
    yield from ((f"row.{name}{_ENDS}", rows) for name in WORDS)
    yield from ((f"service.{name}", services) for name in Services().arrays)
    yield "service.places.ends", 3 * services
    yield "service.versions.of", services
    yield "service.versions.ends", int(arrays["service.versions.of"].sum())
    yield "names.ends", len(arrays["names.ends"]) // 2 * 2
    yield from _sizes_of_stories(arrays)
    yield from _sizes_of_tellings(arrays)


def _sizes_of_stories(arrays: Arrays) -> Iterator[tuple[str, int]]:
    stories = len(arrays["story.service"])
    yield from ((f"story.{name}", stories) for name in (*STORY, "rows.of"))
    yield "story.lines", len(Level) * stories
    yield "story.rows", int(arrays["story.rows.of"].sum())


def _sizes_of_tellings(arrays: Arrays) -> Iterator[tuple[str, int]]:
    tellings, noted = len(arrays["telling.id.ends"]), len(arrays["noted.of"])
    parts = (*TELLING, "kind", "severity", "open")
    yield from ((f"telling.{name}", tellings) for name in parts)
    if "telling.again" in arrays:
        yield "telling.again", tellings
    yield from (
        (f"noted.{name}", noted) for name in (*NOTED, "row", "surprise", "every_s", "count")
    )
    yield "noted.words.ends", noted * len(NOTE)
    # States of before there was such a thing have none.
    if "noted.before" in arrays:
        yield "noted.before.ends", noted


def _bounds(arrays: Arrays) -> Iterator[tuple[str, int, int]]:
    """By array the least number in it, and the first one above all."""
    rows, services = len(arrays["row.service"]), len(arrays["service.first"])
    yield "row.service", FREE, services
    yield from ((f"{name}.service", 0, services) for name in ("story", "telling"))
    yield from ((name, 0, rows) for name in ("story.rows", "noted.row"))
    yield from ((f"{name}.level", 0, len(Level)) for name in ("row", "noted"))
    yield from ((name, 0, 1 << 62) for name in ("service.versions.of", "story.rows.of"))
    yield "noted.of", 0, len(arrays["telling.id.ends"])
    yield "telling.kind", 0, len(AnomalyKind)
    yield "telling.severity", 0, len(Severity)
