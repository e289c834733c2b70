"""Levels from the words and numbers by which loggers call them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from enum import Enum

from detector.logs.lines import Level

__all__ = ["WORDS", "Scale", "level_of"]


class Scale(Enum):
    """What the numbers of a field for the level mean."""

    # https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
    OTEL = "otel"
    # RFC 5424, section 6.2.1: 0 is the gravest.
    SYSLOG = "syslog"
    # pino and bunyan: 30 is info, 50 error.
    PINO = "pino"
    # The standard library of Python: 30 is a warning, 40 an error.
    PYTHON = "python"
    # logback's `level_value`: 20000 is info.
    LOGBACK = "logback"


# The least number of each level, from which on it holds.
_STEPS: Mapping[Scale, tuple[tuple[int, ...], tuple[Level, ...]]] = {
    Scale.OTEL: ((1, 5, 9, 13, 17, 21, 25), (*tuple(Level), Level.UNKNOWN)),
    Scale.PINO: ((1, 20, 30, 40, 50, 60), tuple(Level)),
    Scale.PYTHON: ((1, 10, 20, 30, 40, 50), tuple(Level)),
    Scale.LOGBACK: ((1, 10_000, 20_000, 30_000, 40_000, 50_000), tuple(Level)),
    # 0 emergency, 1 alert, 2 critical | 3 error | 4 warning | 5 notice, 6 informational | 7 debug
    Scale.SYSLOG: (
        (0, 3, 4, 5, 7, 8),
        (Level.UNKNOWN, Level.FATAL, Level.ERROR, Level.WARN, Level.INFO, Level.DEBUG,
         Level.UNKNOWN),
    ),
}  # fmt: skip

_CALLED: Mapping[Level, str] = {
    Level.TRACE: "trace trce verbose finest finer all silly v t",
    Level.DEBUG: "debug dbg dbug fine config debg d",
    Level.INFO: "info information informational notice log note system success http audit inf i n",
    Level.WARN: "warn warning wrn caution w",
    Level.ERROR: "error err severe fail failure eror e",
    Level.FATAL: "fatal critical crit emerg emergency alert panic dpanic fault ftl off f c",
}
WORDS: Mapping[str, Level] = {
    word: level for level, words in _CALLED.items() for word in words.split()
}


def level_of(value: object, scale: Scale = Scale.PINO, words: Mapping[str, Level] = WORDS) -> Level:
    """The level by a word, or by a number of a scale; unknown for what is neither.

    >>> level_of("Warning"), level_of(50), level_of(3, Scale.SYSLOG), level_of(17, Scale.OTEL)
    (<Level.WARN: 4>, <Level.ERROR: 5>, <Level.ERROR: 5>, <Level.ERROR: 5>)
    """
    if isinstance(value, str):
        return _by_word(value.strip(), scale, words)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Level.UNKNOWN
    least, levels = _STEPS[scale]
    return levels[bisect_right(least, value)]


def _by_word(word: str, scale: Scale, words: Mapping[str, Level]) -> Level:
    # OTel writes ERROR2, slog ERROR+2, and some write numbers as text.
    if word.isdecimal() and len(word) < 8:
        return level_of(int(word), scale, words)
    lowered = word.lower()
    found = words.get(lowered) or words.get(lowered.rstrip("0123456789+-"))
    return found or Level.UNKNOWN
