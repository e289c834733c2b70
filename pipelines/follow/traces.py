"""How stack traces go on, line by line, in Java, Python, Go and Node: a table of states."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

__all__ = ["Rule", "State", "begun", "going_on"]


class State(Enum):
    """What the last line was, and so what may come after it."""

    ORDINARY = auto()
    WARNING = auto()
    ERROR = auto()
    # Java, Node and their kin: the name of an exception, its frames, what is told after them.
    THROWN = auto()
    FRAMES = auto()
    AFTER_FRAMES = auto()
    PROPERTIES = auto()
    # Node shows the place in the source before the exception.
    PLACE = auto()
    SOURCE = auto()
    CARET = auto()
    PYTHON = auto()
    PYTHON_FRAMES = auto()
    PYTHON_END = auto()
    PYTHON_BLANK = auto()
    PYTHON_LINK = auto()
    PYTHON_GROUP = auto()
    PANIC = auto()
    GOROUTINE = auto()
    GO_CALL = auto()
    GO_BLANK = auto()
    # .NET's console writes level and category, and the message below them.
    NET = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Rule:
    """A line that fits goes on; it is `sure` unless it might as well be a line of its own."""

    fits: re.Pattern[bytes]
    to: State
    sure: bool = True


def _rule(pattern: str, to: State, *, sure: bool = True) -> Rule:
    return Rule(re.compile(pattern.encode()), to, sure)


_LOUD = "ERROR|SEVERE|FATAL|CRITICAL|CRIT|ERR|error|fatal|panic"
_FRAME = (
    r"[ \t]+(?:at (?:[^()]{0,400}\([^()]*\)|.{1,1000}:\d+:\d+\)?|<anonymous>)"
    r"|\.\.\. \d+ (?:more|common frames omitted|lines matching cause stack trace \.\.\.))"
    r"(?: ~?\[[^\]]{0,200}\]| in .{1,400}:line \d+)?\s*$"
)
_CAUSE = r"[ \t]*(?:Caused by|Suppressed|Wrapped by): \S"
# A line that has a header of its own begins something new.
_BARE = r"(?![\[(]?\d|[\[{<]|[IWEF]\d{4}|[A-Z]{3,9}[ :\]]|\w+=|Traceback |panic: ).{0,2000}$"
_TRACEBACK = r"Traceback \(most recent call last\):\s*$"
_GROUP = r"[ ]+\+ Exception Group Traceback \(most recent call last\):"
_GOROUTINE = r"goroutine \d+ (?:gp=\S+ .{0,80})?\[[^\]]{1,100}\]:\s*$"
_STRICT = (
    r"(?:Exception in thread \"[^\"]{0,200}\" |Unhandled exception\. |Uncaught )?"
    r"(?:[\w$]{1,100}[./]){0,20}[\w$]{0,100}(?:Exception|Error|Throwable)(?:: |:?\s*$| \[)"
)
_CAMEL = r"(?:[\w$]{1,100}[./]){0,20}[\w$]{0,100}[A-Z][\w$]{0,100}(?:: |\s*$)"
_BLANK = r"\s*$"

_THROWN = (
    _rule(_FRAME, State.FRAMES),
    _rule(_FRAME.replace(r"\s*$", r" \{$"), State.PROPERTIES),
    _rule(_CAUSE, State.THROWN),
)
_STACK = (
    _rule(_GOROUTINE, State.GOROUTINE),
    _rule(r"runtime stack:", State.GOROUTINE),
)

_FOLLOWING: Mapping[State, tuple[Rule, ...]] = {
    State.ORDINARY: _THROWN,
    State.WARNING: (
        *_THROWN,
        _rule(_STRICT, State.THROWN, sure=False),
        _rule(_CAMEL, State.ORDINARY, sure=False),
    ),
    State.ERROR: (
        *_THROWN,
        *_STACK,
        _rule(_TRACEBACK, State.PYTHON, sure=False),
        _rule(_GROUP, State.PYTHON_GROUP),
        _rule(_STRICT, State.THROWN, sure=False),
        _rule(_CAMEL, State.ORDINARY, sure=False),
    ),
    # A message of several lines, as long as frames come in the end.
    State.THROWN: (*_THROWN, _rule(_BARE, State.THROWN, sure=False)),
    State.FRAMES: (*_THROWN, _rule(_BLANK, State.AFTER_FRAMES, sure=False)),
    State.AFTER_FRAMES: (
        _rule(r"Node\.js v\d", State.END),
        _rule(r"\(Use `node ", State.AFTER_FRAMES),
    ),
    State.PROPERTIES: (
        _rule(r"[ \t]+\S", State.PROPERTIES),
        _rule(r"\}\s*$", State.FRAMES),
    ),
    State.PLACE: (_rule(r".{0,2000}$", State.SOURCE, sure=False),),
    State.SOURCE: (_rule(r"[ \t]*\^+\s*$", State.CARET, sure=False),),
    State.CARET: (
        _rule(_BLANK, State.CARET, sure=False),
        _rule(r"\(Use `node ", State.AFTER_FRAMES),
        _rule(_BARE, State.THROWN, sure=False),
    ),
    State.PYTHON: (_rule(r"[ \t]+File \"", State.PYTHON_FRAMES),),
    State.PYTHON_FRAMES: (
        _rule(r"[ \t]+\S", State.PYTHON_FRAMES),
        _rule(r"(?![A-Z]{3,9}[: ])[A-Za-z_][\w.]{0,200}(?::|\s*$)", State.PYTHON_END),
    ),
    State.PYTHON_END: (_rule(_BLANK, State.PYTHON_BLANK, sure=False),),
    State.PYTHON_BLANK: (
        _rule(r"The above exception was the direct cause", State.PYTHON_LINK),
        _rule(r"During handling of the above exception", State.PYTHON_LINK),
    ),
    State.PYTHON_LINK: (
        _rule(_BLANK, State.PYTHON_LINK),
        _rule(_TRACEBACK, State.PYTHON),
        _rule(_GROUP, State.PYTHON_GROUP),
    ),
    State.PYTHON_GROUP: (
        _rule(r"[ ]+[|+]", State.PYTHON_GROUP),
        _rule(_BLANK, State.PYTHON_BLANK, sure=False),
    ),
    State.PANIC: (
        *_STACK,
        _rule(r"\[signal |[ \t]+panic: ", State.PANIC),
        _rule(_BARE, State.PANIC, sure=False),
    ),
    State.GOROUTINE: (
        *_STACK,
        _rule(r"\t\S|created by |\.\.\.\S*.{0,20}frames elided|r\w{1,5} +0x", State.GOROUTINE),
        _rule(_BLANK, State.GO_BLANK, sure=False),
        _rule(r"[^\s(]{1,300}(?:\(.{0,2000}\))?\s*$", State.GO_CALL, sure=False),
    ),
    State.GO_CALL: (_rule(r"\t\S", State.GOROUTINE),),
    State.GO_BLANK: (*_STACK, _rule(r"r\w{1,5} +0x", State.GOROUTINE)),
    State.NET: (_rule(r"[ ]{6}\s*\S", State.NET),),
    State.END: (),
}  # fmt: skip

_BEGINNINGS = (
    _rule(r".{0,400}" + _TRACEBACK, State.PYTHON),
    _rule(r"[ ]{2}File \"[^\"]{1,400}\", line \d+\s*$", State.PYTHON_FRAMES),
    _rule(_GROUP, State.PYTHON_GROUP),
    _rule(_GOROUTINE, State.GOROUTINE),
    _rule(r"(?:panic|fatal error): ", State.PANIC),
    _rule(_STRICT, State.THROWN),
    _rule(r"(?:trce|dbug|info|warn|fail|crit): [\w.+`<>-]{1,200}\[-?\d{1,10}\]\s*$", State.NET),
    _rule(r"(?:/|file://|node:|[A-Z]:\\)\S{0,1000}:\d+\s*$", State.PLACE),
)
# Hardly a line begins a trace: one look tells of most that they do not.
_BEGINS = re.compile(
    rb"Traceback| {2}File| +\+ Exc|gorou|panic|fatal|Exception in|Unhandled|Uncau"
    rb"|[\w$./]{0,400}(?:Exception|Error|Throwable)|/|file:|node:|[A-Z]:\\"
    rb"|(?:trce|dbug|info|warn|fail|crit): \S+\["
)
_SPOKEN = re.compile(rb"\b(?:" + _LOUD.encode() + rb"|WARN|WARNING|warn|warning|WRN)\b")
_ERRORS = re.compile(rb"\b(?:" + _LOUD.encode() + rb")\b")
# A level stands near the beginning of its line.
_REACH = 200
_QUIET = frozenset({State.ORDINARY, State.WARNING})
_MAY_FOLLOW = re.compile(rb"[ \t]|Caused by|Suppressed|Wrapped by|[\w$./]{0,400}[A-Z]|Exc|Unh|Unc")


def begun(line: bytes) -> State:
    """What a line is that goes on with nothing before it."""
    if _BEGINS.match(line) is not None or b"Traceback (" in line:
        found = next((rule.to for rule in _BEGINNINGS if rule.fits.match(line)), None)
        if found is not None:
            return found
    if _SPOKEN.search(line, 0, _REACH) is None:
        return State.ORDINARY
    return State.ERROR if _ERRORS.search(line, 0, _REACH) else State.WARNING


def going_on(state: State, line: bytes) -> Rule | None:
    """The rule by which a line goes on with what was before it, None where it does not."""
    if state in _QUIET and _MAY_FOLLOW.match(line) is None:
        return None
    return next((rule for rule in _FOLLOWING[state] if rule.fits.match(line)), None)
