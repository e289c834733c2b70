"""The header of a plain line: its time, its level, its logger, and the message that is left."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, tzinfo

from detector.logs.lines import Level
from pipelines.ingest.records.levels import Scale, level_of
from pipelines.ingest.records.moments import at_of
from pipelines.ingest.records.stamps import stamp_of

__all__ = ["Header", "split"]

# Nothing of a header stands behind so many characters.
_REACH = 400
_UPPER = (
    "TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|SEVERE|FATAL|CRIT(?:ICAL)?|EMERG|ALERT|PANIC"
    "|FINE|FINER|FINEST|CONFIG|VERBOSE|INF|WRN|DBG|FTL|LOG"
)
_ANY = (
    f"(?:{_UPPER}|{_UPPER.lower()}|Trace|Debug|Info|Notice|Note|System|Warn(?:ing)?"
    "|Error|Fatal|Critical)"
)
# What may stand between time and level: thread or logger in brackets, process, logger, strokes.
_BETWEEN = (
    r"(?:\[[^\]\n]{0,120}(?:\][^\]\s]{0,60})?\]|\d{1,10}(?=[ :|])|[-|:]{1,3}(?= )"
    r"|[\w.$/@-]{1,80}(?= +[-|] )|[\w.-]{1,60}(?=\.(?:" + _UPPER + r"):)"
    # PostgreSQL names user and database; where it is rented, the address before them.
    r"|[\w.$-]{1,63}@[\w.$-]{1,63}(?= (?:" + _UPPER + r"):)"
    r"|:[^\s\[]{0,160}:\[\d{1,10}\]:(?=(?:" + _UPPER + r"):))"
)
_LEVEL = re.compile(
    rf"(?:[ \t]*{_BETWEEN}){{0,4}}?[ \t]*(?:\.?(?P<plain>{_UPPER})(?=[\s:|\]/]|$)"
    rf"|\t(?P<tabbed>{_UPPER.lower()})(?=\t)"
    rf"|[\[<(](?:[\w-]{{1,30}}:)?(?P<framed>{_ANY})[ ]*[\])>])[:,]?"
)
# … and between level and message.
_NAME = r"[\w.$/@~*-]{1,100}(?:\[\d+\])?"
_AFTER = re.compile(
    # Celery puts its process behind the level.
    r"(?:/[\w-]{1,40}(?=\]))?\]?[ \t]*(?:\d{1,10} +(?=---))?(?P<strokes>--- *)?"
    rf"(?P<frames>(?:\[[^\]\n]{{0,120}}\] *){{0,2}}(?={_NAME} *(?: - |: )))?(?:[-|] +)?"
    rf"(?:{_NAME} +- +|(?P<name>{_NAME}) *: )?(?:[-|:] +)?"
)
_FIRST = re.compile(
    rf"(?:(?P<python>DEBUG|INFO|WARNING|ERROR|CRITICAL):[\w.-]+:|(?P<plain>{_UPPER})(?::|[ \t])"
    rf"|\[(?P<framed>{_ANY})\]:?"
    # .NET's console: the category and a number, the message on the next line.
    r"|(?P<dotnet>trce|dbug|info|warn|fail|crit): [\w.+`<>-]{1,200}\[-?\d{1,10}\](?:\n *)?)[ \t]*"
)
_PRIORITY = re.compile(r"<(\d{1,3})>(?=\S)")
_PAIRS = re.compile(r'[\w.]{1,40}=(?:"|\S)')
_PAIR_LEVEL = re.compile(r'(?:^| )(?:level|lvl|severity)="?(\w{1,12})"?(?= |$)')
_PAIR_TIME = re.compile(r'(?:^| )(?:time|ts|timestamp|t)="?([^"\s]{8,40})"?(?= |$)')
_TRACE = re.compile(
    r"""[tT]race[-_.]?[iI][dD]["']?[=: ]{1,2}["']?([0-9a-f]{32})\b"""
    r"|\b([0-9a-f]{32})[-,][0-9a-f]{16}\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a line says of itself, and its message; `at` is None where it tells no time."""

    at: int | None
    level: Level
    text: str
    program: str = ""
    host: str = ""
    trace: str = ""


def split(line: str, *, now: int, zone: tzinfo = UTC) -> Header:
    """Header and message of a line by general rules; what they do not know stays in the message.

    `now` is in unix milliseconds: times of day without a date, and dates without a year, are taken
    as the nearest to it. Times without a zone are of `zone`.
    """
    trace = _trace_of(line)
    if _PAIRS.match(line) is not None:
        paired = _of_pairs(line, zone)
        if paired is not None:
            return Header(at=paired[0], level=paired[1], text=paired[2], trace=trace)
    priority = _PRIORITY.match(line)
    start = priority.end() if priority is not None else 0
    stamp = stamp_of(line, start, now=now, zone=zone)
    if stamp is None:
        level, end = _first(line, start)
        if priority is not None and level is Level.UNKNOWN:
            level = _of_priority(priority[1])
        return Header(at=None, level=level, text=line[end:], trace=trace)
    level, end = (stamp.level, stamp.end) if stamp.is_whole else _after(line, stamp.end)
    if level is Level.UNKNOWN and priority is not None:
        level = _of_priority(priority[1])
    return Header(
        at=stamp.at,
        level=level,
        text=line[end:].lstrip(" \t") or line,
        program=stamp.program,
        host=stamp.host,
        trace=trace,
    )


def _of_priority(digits: str) -> Level:
    return level_of(int(digits) & 7, Scale.SYSLOG)


def _trace_of(line: str) -> str:
    """The trace id that a line names, where it does so near its beginning."""
    found = _TRACE.search(line, 0, 2000)
    return found[1] or found[2] if found is not None else ""


def _first(line: str, start: int) -> tuple[Level, int]:
    """The level that a line without a time begins with, and where its message begins."""
    found = _FIRST.match(line, start)
    if found is None or found.end() >= len(line):
        return Level.UNKNOWN, start
    word = found["python"] or found["plain"] or found["framed"] or found["dotnet"]
    return level_of(word), found.end()


def _after(line: str, start: int) -> tuple[Level, int]:
    """The level behind a time, and where the message begins."""
    reach = min(len(line), start + _REACH)
    found = _LEVEL.match(line, start, reach)
    if found is None:
        return _first(line, _blank(line, start))
    level = level_of(found["plain"] or found["tabbed"] or found["framed"])
    rest = _AFTER.match(line, found.end(), reach)
    assert rest is not None
    end = rest.end()
    # A word and a colon may as well begin the message: a logger has a dot, or a frame before it.
    if rest["name"] and "." not in rest["name"] and not (rest["frames"] or rest["strokes"]):
        end = rest.start("name")
    return level, end


def _blank(line: str, start: int) -> int:
    while start < len(line) and line[start] in " \t-|:":
        start += 1
    return start


def _of_pairs(line: str, zone: tzinfo) -> tuple[int | None, Level, str] | None:
    """A line of `key=value` that names its level."""
    level = _PAIR_LEVEL.search(line, 0, _REACH)
    if level is None:
        return None
    time = _PAIR_TIME.search(line, 0, _REACH)
    text = _PAIR_LEVEL.sub("", _PAIR_TIME.sub("", line, count=1), count=1).lstrip()
    return at_of(time[1], zone) if time is not None else None, level_of(level[1]), text or line
