"""Words of a log line in plain Python: what `kernel_word` must equal."""

from __future__ import annotations

import re

from models.templates.kinds import Kind

__all__ = ["colons", "word"]

_ASCII = re.compile(rb"[A-Za-z0-9_\-./\\@%+$~&]+")
_WIDE = re.compile(rb"[\x80-\xff]+")
_LETTERED = re.compile(rb"[A-Za-z_\-\x80-\xc1\xc3-\xe1\xe3-\xff]+")
_COLONS = re.compile(rb"(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]+")
_QUERY = re.compile(rb"\?[A-Za-z0-9_\-./\\@%+$~&\x80-\xff]")
_LED_ON = re.compile(rb"[^:]:\Z")
_TAIL = re.compile(rb"([0-9.]*)(?:%[0-9A-Za-z]*|/[0-9]*)?")
_MICRO = re.compile(rb"(?:\xc2\xb5|\xce\xbc)s(?![A-Za-z0-9_\-./\\@%+$~&\x80-\xff])")
_EXPONENT = re.compile(rb"[_\-./\\@%+$~&]?[0-9][0-9.]*[eE]([+\-]?)[0-9]+")
_BETWEEN = re.compile(rb"[0-9][:,][0-9]")
_SPACE = re.compile(rb"[\x00-\x20\x7f\"'<>)]")
_DAY = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DATE = re.compile(rb"(?:" + _DAY + rb",? +(?=[0-9]|" + _MONTH + rb")|" + _MONTH + rb" +(?=[0-9]))")
_HEXED = re.compile(rb"[_\-./\\@%+$~&]?0[xX].", re.DOTALL)
_DIGITS, _LETTERS = re.compile(rb"[0-9]"), re.compile(rb"[A-Za-z]")
_HEX = re.compile(rb"[0-9A-Fa-f]{8,}")
_NAMED = re.compile(rb"[^0-9\-]*[A-Za-z][0-9][A-Za-z_$][^0-9\-]*")
_LED = re.compile(rb"[_\-./\\@%+$~&]?[0-9]")


def word(text: bytes, i: int) -> tuple[int, int]:
    """Where the word that begins at `i` ends, and its kind; -1 where it is joints alone."""
    first = _WIDE.match(text, i)
    wide = first and (_MICRO.match(text, i) or _LETTERED.match(text, i) or first)
    if wide:
        return wide.end(), Kind.WORD
    address = colons(text, i) if text[i : i + 1] != b":" else 0
    if address:
        return address, Kind.IP
    j = _end(text, i)
    lettered = _LETTERED.match(text, i)
    if lettered and lettered.end() > j and _WIDE.match(text, j) and not _DIGITS.search(text, i, j):
        return lettered.end(), Kind.WORD
    if text[j : j + 3] == b"://":
        return _to_space(text, j), Kind.URL
    if j - i == 1 and text[j : j + 2] == b":\\":
        return _to_space(text, j), Kind.PATH
    while j > i + 1 and text[j - 1 : j] == b".":
        j -= 1
    if not _DIGITS.search(text, i, j) and not _LETTERS.search(text, i, j):
        return j, -1
    kind = _kind(text, i, j)
    if kind == Kind.PATH and _QUERY.match(text, j):
        return _to_space(text, j), kind
    micro = _MICRO.match(text, j) if kind == Kind.NUM else None
    return micro.end() if micro else j, kind


def colons(text: bytes, i: int) -> int:
    """End of an IPv6 or hardware address that begins here, or 0."""
    found = _COLONS.match(text, i)
    if not found:
        return 0
    own = found[0]
    is_address = _LETTERS.search(own) or own.count(b":") > 4 or b"::" in own
    if own.count(b":") < 2 or not _DIGITS.search(own) or not is_address:
        return 0
    tail = _TAIL.match(text, found.end())
    assert tail is not None
    end = tail.end()
    if _ASCII.match(text, end):
        return 0
    four = tail[1]
    if end == tail.end(1):
        four = four.rstrip(b".")
        end = found.end() + len(four)
    if four.count(b".") not in {0, 3}:
        return 0
    return end - bool(_LED_ON.search(text, 0, end))


def _end(text: bytes, i: int) -> int:
    """Behind the word: it goes on over colons of times and commas of numbers, between digits."""
    run = _ASCII.match(text, i)
    j = run.end() if run else i
    while _BETWEEN.match(text, j - 1) and j > i:
        own = text[i:j]
        if text[j : j + 1] == b":":
            if not own[:1].isdigit() or b"." in own:
                break
        elif b":" not in own and _LETTERS.search(own):
            break
        run = _ASCII.match(text, j + 1)
        j = run.end() if run else j + 1
    return j


def _to_space(text: bytes, j: int) -> int:
    found = _SPACE.search(text, j)
    return found.start() if found else len(text)


def _kind(text: bytes, i: int, j: int) -> int:
    own = text[i:j]
    lettered = bool(_LETTERS.search(own))
    is_rooted = own[:1] == b"/" or (own[:1] == b"~" and b"/" in own)
    if is_rooted or (lettered and (own.count(b"/") > 1 or own.count(b"\\") > 1)):
        return Kind.PATH
    if b"@" in own and own[:1] != b"@" and own[-1:] != b"@":
        return Kind.MAIL if b"." in own else Kind.ID
    if _DIGITS.search(own):
        return _with_digits(own) if lettered else _number(own)
    if b"." in own or b"/" in own or b"\\" in own:
        return Kind.NAME
    date = _DATE.match(text, i)
    if date and j - i == 3:
        return Kind.DATE
    return Kind.ID if _HEX.fullmatch(own) else Kind.WORD


def _number(own: bytes) -> int:
    is_address = own.count(b".") == 3 and len(_DIGITS.findall(own)) >= 4
    if is_address and own.count(b":") <= 1 and own.count(b"/") <= 1:
        return Kind.IP
    return Kind.TIME if b":" in own else Kind.NUM


def _with_digits(own: bytes) -> int:
    if _HEXED.match(own):
        return Kind.HEX
    if _LED.match(own):
        if b":" in own:
            return Kind.TIME
        if _is_measured(own) or _is_scientific(own):
            return Kind.NUM
    letters = len(_LETTERS.findall(own))
    if letters >= 4 and _NAMED.fullmatch(own) and not _HEX.fullmatch(own):
        return Kind.NAME if b"." in own or b"/" in own else Kind.WORD
    return Kind.ID


def _is_scientific(own: bytes) -> bool:
    """A number with an exponent; with neither a dot nor a sign it may be of an id."""
    found = _EXPONENT.fullmatch(own)
    return found is not None and (found[1] != b"" or b"." in own)


def _is_measured(own: bytes) -> bool:
    """A number with a unit of three letters or fewer behind it, and one joint more at most."""
    letters, digits = len(_LETTERS.findall(own)), len(_DIGITS.findall(own))
    is_full = digits + letters + own.count(b".") >= len(own) - 1
    return letters <= 3 and is_full and bool(_LETTERS.fullmatch(own[-1:]))
