"""When something was changed, as senders write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from math import inf

__all__ = ["AHEAD_MS", "moment_ms", "sane_ms"]

AHEAD_MS = 5 * 60_000
_SECONDS_MAX, _MICRO_MIN = 1e11, 1e14
_SPACED_ZONE = re.compile(r" (?:([+-]\d{2}:?\d{2})(?: [A-Z]+)?|UTC)$")


def moment_ms(word: str) -> int | None:
    """Unix milliseconds of RFC 3339 or of a number (s, ms, us, ns by its size); None of neither.

    >>> moment_ms("1970-01-01T00:00:01Z"), moment_ms("1700000000"), moment_ms("soon")
    (1000, 1700000000000, None)
    """
    try:
        number = float(word)
    except ValueError:
        return _written_ms(word)
    return _numbered_ms(number) if 0 < number < inf else None


def _numbered_ms(number: float) -> int | None:
    if number < _SECONDS_MAX:
        return round(1000 * number)
    while number >= _MICRO_MIN:
        number /= 1000
    return round(number)


def _written_ms(word: str) -> int | None:
    try:
        moment = datetime.fromisoformat(_SPACED_ZONE.sub(lambda zone: zone[1] or "Z", word))
    except ValueError:
        return None
    try:
        return round(1000 * (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (OverflowError, ValueError):
        return None


def sane_ms(told: int | None, now: int) -> int:
    """When it was: what the sender says, but for what lies ahead of our clock, which is now."""
    return now if told is None or told > now + AHEAD_MS else told
