"""What a statement of SQL does, and to which table: its first verb and the first table of it.

Where an instrumentation tells the text of a query but not its operation, these name it; the rest of
the text, in which values may stand, is not looked at again.
"""

from __future__ import annotations

import numpy as np

from models.compiling import uncounted
from pipelines.ingest.protobuf import Bytes

__all__ = ["verb_and_table"]

# Of a text no more is read: what comes first names it.
_MOST = 4_096
_SPACE, _QUOTE, _DASH, _SLASH, _STAR, _LINE = 32, 39, 45, 47, 42, 10
_OPEN, _CLOSE, _END = 40, 41, 59
_DOUBLE, _BACK, _BRACKET, _BRACKET_END, _HASH, _UNDERSCORE = 34, 96, 91, 93, 35, 95
_A, _Z, _LOWER = 65, 90, 32


def _packed(word: str) -> int:
    """Up to eight letters as a number."""
    return int.from_bytes(word.encode(), "big")


_SELECT, _DELETE, _FROM = _packed("SELECT"), _packed("DELETE"), _packed("FROM")
_INSERT, _REPLACE, _MERGE, _INTO = map(_packed, ("INSERT", "REPLACE", "MERGE", "INTO"))
_UPDATE, _WITH, _TABLE = _packed("UPDATE"), _packed("WITH"), _packed("TABLE")
_CREATE, _ALTER, _DROP, _TRUNCATE = map(_packed, ("CREATE", "ALTER", "DROP", "TRUNCATE"))
_IF, _NOT, _EXISTS, _ONLY = map(_packed, ("IF", "NOT", "EXISTS", "ONLY"))
_DISTINCT = _packed("DISTINCT")
# In place of a word: a bracket where a table could stand.
_INNER = -1


@uncounted
def verb_and_table(data: Bytes, at: int, end: int) -> tuple[int, int, int, int]:
    """Where both begin and end; nowhere (0, 0) what is not there."""
    end = min(end, at + _MOST)
    begin, stop = _token(data, at, end)
    while begin < stop and data[begin] in (_OPEN, _END):
        begin, stop = _token(data, stop, end)
    word = _word(data, begin, stop)
    if word == _WITH:
        begin, stop = _main(data, stop, end)
        word = _word(data, begin, stop)
    if word == 0:
        return 0, 0, 0, 0
    before = _before_table(word)
    if before == 0:
        return begin, stop, 0, 0
    table, table_end = _table(data, stop, end, before)
    return begin, stop, table, table_end


@uncounted
def _before_table(verb: int) -> int:
    """The word behind which the table stands; UPDATE for the verb itself, 0 for no table."""
    if verb in (_SELECT, _DELETE):
        return _FROM
    if verb in (_INSERT, _REPLACE, _MERGE):
        return _INTO
    if verb in (_UPDATE, _TRUNCATE):
        return _UPDATE
    if verb in (_CREATE, _ALTER, _DROP):
        return _TABLE
    return 0


@uncounted
def _main(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """The verb behind the tables that a WITH names."""
    depth = 0
    begin, stop = _token(data, at, end)
    while begin < stop:
        depth += _step(data, begin)
        word = _word(data, begin, stop)
        if depth == 0 and word in (_SELECT, _INSERT, _UPDATE, _DELETE, _MERGE):
            break
        begin, stop = _token(data, stop, end)
    return begin, stop


@uncounted
def _table(data: Bytes, at: int, end: int, before: int) -> tuple[int, int]:
    """The name behind a word; of a query within the first table's place, its own first table."""
    depth, wanted, last = 0, 0, 0
    is_next = before == _UPDATE
    begin, stop = _token(data, at, end)
    while begin < stop and data[begin] != _END:
        word = _word(data, begin, stop)
        depth += _step(data, begin)
        if data[begin] == _OPEN and (is_next or last == _INNER):
            wanted, is_next, word = depth, False, _INNER
        elif is_next and word not in (_IF, _NOT, _EXISTS, _ONLY, _TABLE):
            return (begin, stop) if _is_name(data[begin]) else (0, 0)
        elif not is_next and depth == wanted and word == before and last != _DISTINCT:
            is_next = True
        last = word
        begin, stop = _token(data, stop, end)
    return 0, 0


@uncounted
def _is_name(byte: int) -> bool:
    """Whether a name begins so, and no number and no place for a value: `?`, `$1`, `:table`."""
    is_letter = _A <= (byte & ~_LOWER) <= _Z
    return is_letter or byte >= 128 or byte in (_DOUBLE, _BACK, _BRACKET, _HASH, _UNDERSCORE)


@uncounted
def _step(data: Bytes, at: int) -> int:
    """How much deeper in brackets we are behind a token."""
    if data[at] == _OPEN:
        return 1
    return -1 if data[at] == _CLOSE else 0


@uncounted
def _token(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """The next word, name with its dots and quotes, or sign; texts and comments are passed over."""
    while at < end:
        byte = data[at]
        if byte == _QUOTE:
            at = _behind(data, at + 1, end, _QUOTE)
        elif byte == _DASH and at + 1 < end and data[at + 1] == _DASH:
            at = _behind(data, at + 2, end, _LINE)
        elif byte == _SLASH and at + 1 < end and data[at + 1] == _STAR:
            at = _behind_comment(data, at + 2, end)
        elif byte <= _SPACE:
            at += 1
        else:
            break
    stop = at
    while stop < end and _is_of_word(data[stop]):
        closing = _closing(data[stop])
        stop = _behind(data, stop + 1, end, closing) if closing else stop + 1
    return at, max(stop, min(at + 1, end))


@uncounted
def _closing(byte: int) -> int:
    """What ends a quoted name, in which any sign and any word may stand; 0 where none begins."""
    if byte in (_DOUBLE, _BACK):
        return int(byte)
    return _BRACKET_END if byte == _BRACKET else 0


@uncounted
def _behind(data: Bytes, at: int, end: int, wanted: int) -> int:
    while at < end and data[at] != wanted:
        at += 1
    return min(at + 1, end)


@uncounted
def _behind_comment(data: Bytes, at: int, end: int) -> int:
    while at + 1 < end and not (data[at] == _STAR and data[at + 1] == _SLASH):
        at += 1
    return min(at + 2, end)


@uncounted
def _is_of_word(byte: int) -> bool:
    """Letters, digits and what names hold: underscore, dot, dollar, hash, quotes, other letters."""
    is_letter = _A <= (byte & ~_LOWER) <= _Z
    is_digit = 48 <= byte <= 57
    return is_letter or is_digit or byte in (95, 46, 36, 35, 34, 96, 91, 93) or byte >= 128


@uncounted
def _word(data: Bytes, begin: int, stop: int) -> int:
    """Up to eight letters, made capital, as a number; 1 for longer ones, 0 for no letters."""
    if stop <= begin or stop - begin > 24:
        return 0
    value = np.int64(0)
    for place in range(begin, stop):
        capital = data[place] & np.uint8(~_LOWER & 0xFF)
        if not _A <= capital <= _Z:
            return 0
        value = value << 8 | np.int64(capital)
    return int(value) if stop - begin <= 8 else 1
