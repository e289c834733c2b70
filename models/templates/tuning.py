"""When a place in a template is a parameter: numbers and words, the same for all systems."""

from __future__ import annotations

__all__ = [
    "ALIKE",
    "FIRST",
    "FIRST_LEAST",
    "LEADS",
    "NEEDED",
    "NEEDED_CAPITALS",
    "NEEDED_LED",
    "NEEDED_NAMES",
    "NEVER",
    "SEARCHED",
    "SHAPE_MOST",
    "STATUS",
    "STATUS_SHARE",
    "TOGETHER",
    "WINDOW",
]

NEVER = 1 << 30
# Templates of a family that a new line is compared with, the newest; one bit each.
WINDOW = 64
# Templates of one shape, the marks between its words, before any word may be anywhere in it; of a
# miner that keeps fewer than four times as many, a quarter.
SHAPE_MOST = 4096
# Families of one beginning that are looked at, the newest.
SEARCHED = 32
# Share of words, besides parameters, that a line has in common with a family that it joins.
ALIKE = 0.5
# How many different words make a place a parameter, by how many words of the family never differ;
# the last for any more. Values with dots or slashes need fewer, as words behind a noun that says
# that a name comes; names of states need more.
NEEDED = (NEVER, 16, 7, 5)
NEEDED_NAMES = (NEVER, 6, 4, 3)
NEEDED_LED = (NEVER, 8, 4, 3)
NEEDED_CAPITALS = (NEVER, 32, 16, 12)
# Lines that differ in several places at once say less: so many times as many are needed.
TOGETHER = 2
# How many different first words of lines that are the same behind it, with two words or more.
FIRST, FIRST_LEAST = 20, 3
# A place where one in so many is a word of a state, or of what was done, is no parameter.
STATUS_SHARE = 5
STATUS = frozenset(
    b"up down on off open close start stop pause resume restart running ready ok okay fail failure "
    b"success successful successfully error warning warn info debug fatal critical lost found "
    b"valid invalid active inactive available unavailable true false yes no not none null timeout "
    b"crash abort cancel complete done begin end healthy unhealthy read write send sent receive "
    b"online offline in out before after first last high low new old create delete remove add "
    b"update get set put post head patch connect disconnect accept reject deny allow grant enable "
    b"disable load unload mount unmount register unregister lock unlock login logout join leave "
    b"commit rollback bind unbind attach detach push pull insert select drop alter is was has had "
    b"can cannot will would should must may never always and or but with without".split()
)
LEADS = frozenset(b"user host node named account tenant customer database table role group".split())
