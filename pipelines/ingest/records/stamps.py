"""The time that a plain line begins with, in each of the ways in which servers write it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from detector.logs.lines import Level
from pipelines.ingest.records.levels import level_of
from pipelines.ingest.records.moments import MONTHS, moment_of

__all__ = ["Stamp", "stamp_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A time, and where it ends; `is_whole` where the header does so too."""

    at: int
    end: int
    is_whole: bool = False
    level: Level = Level.UNKNOWN
    program: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """What a time that says only a part of it is completed by."""

    now: int
    zone: tzinfo


_Reader = Callable[[re.Match[str], _Around], Stamp | None]
_MONTH = "|".join(MONTHS)
_CLOCK = r"(\d\d):(\d\d):(\d\d)"
_PART = r"(?:[.,](\d{1,9}))?"
_TAG = r"([\w./@-]{1,64})(?:\([^)]{1,40}\))?(?:\[\d{1,10}\])?: "

# How grave a line of Redis is: debug, verbose, notice, warning.
_SIGNS = {".": Level.DEBUG, "-": Level.DEBUG, "*": Level.INFO, "#": Level.WARN}


def stamp_of(line: str, start: int = 0, *, now: int, zone: tzinfo = UTC) -> Stamp | None:
    """The time that stands there, or None; `now` in unix milliseconds."""
    around = _Around(now=now, zone=zone)
    for pattern, read in _KINDS:
        found = pattern.match(line, start, start + 400)
        if found is not None:
            stamp = read(found, around)
            if stamp is not None:
                return stamp
    return None


def _iso(found: re.Match[str], around: _Around) -> Stamp | None:
    *parts, fraction, offset, host, program = found.groups()
    at = moment_of(tuple(parts), fraction, offset, around.zone)
    if at is None:
        return None
    return Stamp(at=at, end=found.end(), host=host or "", program=program or "")


def _worded(found: re.Match[str], around: _Around) -> Stamp | None:
    """A day, the name of its month, a year."""
    day, month, year, *clock, fraction, offset = found.groups()
    at = moment_of((year, str(MONTHS[month]), day, *clock), fraction, offset, around.zone)
    return None if at is None else Stamp(at=at, end=found.end())


def _redis(found: re.Match[str], around: _Around) -> Stamp | None:
    day, month, year, *clock, fraction, sign = found.groups()
    at = moment_of((year, str(MONTHS[month]), day, *clock), fraction, None, around.zone)
    if at is None:
        return None
    return Stamp(at=at, end=found.end(), is_whole=True, level=_SIGNS[sign])


def _ruby(found: re.Match[str], around: _Around) -> Stamp | None:
    *parts, fraction, word = found.groups()
    at = moment_of(tuple(parts), fraction, None, around.zone)
    if at is None:
        return None
    return Stamp(at=at, end=found.end(), is_whole=True, level=level_of(word))


def _short_year(found: re.Match[str], around: _Around) -> Stamp | None:
    year, *parts, fraction = found.groups()
    at = moment_of((f"20{year}", *parts), fraction, None, around.zone)
    return None if at is None else Stamp(at=at, end=found.end())


def _klog(found: re.Match[str], around: _Around) -> Stamp | None:
    letter, month, day, *clock, fraction = found.groups()
    at = _nearest_year(around, (month, day, *clock), fraction)
    if at is None:
        return None
    return Stamp(at=at, end=found.end(), is_whole=True, level=level_of(letter))


def _syslog(found: re.Match[str], around: _Around) -> Stamp | None:
    month, day, *clock, fraction, host, program = found.groups()
    at = _nearest_year(around, (str(MONTHS[month]), day, *clock), fraction)
    if at is None:
        return None
    return Stamp(at=at, end=found.end(), host=host or "", program=program or "")


def _apache(found: re.Match[str], around: _Around) -> Stamp | None:
    month, day, *clock, fraction, year, word = found.groups()
    at = moment_of((year, str(MONTHS[month]), day, *clock), fraction, None, around.zone)
    if at is None:
        return None
    return Stamp(at=at, end=found.end(), is_whole=True, level=level_of(word))


def _access(found: re.Match[str], around: _Around) -> Stamp | None:
    day, month, year, *clock, offset = found.groups()
    at = moment_of((year, str(MONTHS[month]), day, *clock), None, offset, around.zone)
    # The line is all message: who asked comes before the time.
    return None if at is None else Stamp(at=at, end=found.start(), is_whole=True)


def _day(found: re.Match[str], around: _Around) -> Stamp | None:
    """A time of day: of the day on which it is nearest to now."""
    hour, minute, second, fraction = found.groups()
    today = datetime.fromtimestamp(around.now / 1000, around.zone)
    days = (today + timedelta(days=more) for more in (-1, 0, 1))
    times = (
        moment_of(
            (str(day.year), str(day.month), str(day.day), hour, minute, second),
            fraction,
            None,
            around.zone,
        )
        for day in days
    )
    return _nearest(around, times, found.end())


def _nearest_year(around: _Around, parts: tuple[str, ...], fraction: str | None) -> int | None:
    year = datetime.fromtimestamp(around.now / 1000, around.zone).year
    times = (
        moment_of((str(each), *parts), fraction, None, around.zone)
        for each in (year - 1, year, year + 1)
    )
    stamp = _nearest(around, times, 0)
    return stamp.at if stamp is not None else None


def _nearest(around: _Around, times: Iterable[int | None], end: int) -> Stamp | None:
    known = [at for at in times if at is not None]
    if not known:
        return None
    return Stamp(at=min(known, key=lambda at: abs(at - around.now)), end=end)


_KINDS: tuple[tuple[re.Pattern[str], _Reader], ...] = (
    (
        re.compile(
            r"\[?(\d{4})[-/](\d\d)[-/](\d\d)[T _]" + _CLOCK + r"(?:[.,:](\d{1,9}))?"
            r"[ ]?(Z|UTC|GMT|[+-]\d\d:?\d\d)?(?![\d-])\]?"
            # As rsyslog writes files: a host, and who wrote it.
            r"(?:(?<=[\dZ]) (?!\d)([\w.-]{1,64}) " + _TAG + r")?"
        ),
        _iso,
    ),
    (re.compile(r"(\d\d)(\d\d)(\d\d) (\d\d)(\d\d)(\d\d)(?:,(\d{1,6}))?(?= )"), _short_year),
    (re.compile(r"(\d\d)/(\d\d)/(\d\d) " + _CLOCK + _PART + "(?= )"), _short_year),
    (
        re.compile(
            r"([IWEF])(\d\d)(\d\d) " + _CLOCK + r"\.(\d{6}) +\d{1,10} [^\s\]]{1,100}:\d+\] "
        ),
        _klog,
    ),
    (
        re.compile(
            rf"(?:[A-Z][a-z]{{2}} )?({_MONTH}) {{1,2}}(\d{{1,2}}) {_CLOCK}{_PART}"
            rf"(?: ([\w.:-]{{1,64}}) {_TAG})?"
        ),
        _syslog,
    ),
    (
        re.compile(
            rf"\[[A-Z][a-z]{{2}} ({_MONTH}) (\d\d) {_CLOCK}{_PART} (\d{{4}})\] "
            r"\[(?:\w{1,40}:)?(\w{1,20})\] (?:\[pid [^\]]{1,40}\] )?"
        ),
        _apache,
    ),
    (
        re.compile(
            rf"(?=\S{{1,100}} \S{{1,100}} [^\[\n]{{1,100}}\[\d\d/)[^\[]{{1,320}}"
            rf"\[(\d\d)/({_MONTH})/(\d{{4}}):{_CLOCK} ([+-]\d{{4}})\]"
        ),
        _access,
    ),
    # Tomcat, and PHP in brackets.
    (
        re.compile(rf"\[?(\d\d)-({_MONTH})-(\d{{4}}) {_CLOCK}{_PART}(?: (UTC|GMT))?\]?(?= )"),
        _worded,
    ),
    (
        re.compile(
            rf"\d{{1,10}}:[A-Z] (\d\d) ({_MONTH}) (\d{{4}}) {_CLOCK}\.(\d{{3}}) ([.*#-]) (?=\S)"
        ),
        _redis,
    ),
    (
        re.compile(
            r"[DIWEFA], \[(\d{4})-(\d\d)-(\d\d)T" + _CLOCK + r"\.(\d{6}) #\d{1,10}\] +"
            r"(DEBUG|INFO|WARN|ERROR|FATAL|ANY) -- [^:\n]{0,80}: ?(?=\S)"
        ),
        _ruby,
    ),
    (re.compile(r"\[?" + _CLOCK + _PART + r"\]?(?= )"), _day),
)
