"""When a place in a template is a parameter: numbers and words, the same for all systems."""

from __future__ import annotations

__all__ = [
    "ALIKE",
    "NEEDED",
    "NEEDED_CAPITALS",
    "NEEDED_ODD",
    "STATUS",
]

# Share of words, besides parameters, that a line has in common with a family that it joins.
ALIKE = 0.5
# How many different words make a place a parameter, by how many words of the family never differ;
# the last for any more. Values with dots or digits need fewer, as names of states need more.
NEEDED = (1 << 30, 16, 6, 4)
NEEDED_ODD = (1 << 30, 5, 3, 3)
NEEDED_CAPITALS = (1 << 30, 32, 16, 12)
# Words that tell what happened or how something is. A place where one of them was seen tells lines
# apart, however many others are seen there.
STATUS = frozenset(
    b"up down on off open opened closed close start started starting stop stopped stopping "
    b"paused pause resumed resume restarted restart running ready done ok okay fail failed "
    b"failing failure success succeeded successful successfully error warning fatal lost found "
    b"missing created deleted removed added updated enabled disabled connected disconnected "
    b"accepted rejected refused denied allowed granted valid invalid active inactive available "
    b"unavailable true false yes no not timeout expired killed exited crashed aborted "
    b"cancelled canceled completed complete finished begin end healthy unhealthy read write "
    b"reading writing sent received online offline suspended loaded unloaded mounted unmounted "
    b"registered unregistered locked unlocked in out before after first last high low".split()
)
