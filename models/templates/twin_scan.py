"""A log line to its tokens and its shape in plain Python: what `kernel_scan` must equal."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.templates.kinds import MOST_BYTES, MOST_TOKENS, Kind
from models.templates.twin_word import colons, word

__all__ = ["Token", "scanned"]

_WHOLE = (1 << 64) - 1
_SEED, _PRIME, _MIX, _FORM = (
    0xCBF29CE484222325,
    0x100000001B3,
    0x9E3779B97F4A7C15,
    0x6A09E667F3BCC909,
)
_IN_GAP, _TOKEN = 0x100, 0x200
_SPACES = re.compile(rb"(?:\x1b\[[\x20-\x3f]*[\x00-\xff]?|[\x00-\x09\x0b-\x20\x7f])+")
_NEWLINE = re.compile(rb"\n")
_PLAIN = re.compile(rb"[A-Za-z0-9_\-./\\@%+$~&\x80-\xff]")
_QUOTED = {
    b'"': re.compile(
        rb'"(?:\\[\x00-\xff]|[^\\])*?"(?![A-Za-z0-9_\-./\\@%+$~&\x80-\xff])', re.DOTALL
    ),
    b"'": re.compile(
        rb"'(?:\\[\x00-\xff]|[^\\])*?'(?![A-Za-z0-9_\-./\\@%+$~&\x80-\xff])", re.DOTALL
    ),
}
_BODY = re.compile(rb"""(?:\{[\x00-\x20\x7f{]*(["'])|\[[\x00-\x20\x7f{]*\{(["']))""")
_STRING = rb'"(?:\\[\x00-\xff]|[^"\\])*(?:"|\\?\Z)|'
_MARKS = rb"[{}\[\]]"
_IN_BODY = {
    b'"': re.compile(_STRING + _MARKS, re.DOTALL),
    b"'": re.compile(_STRING + _STRING.replace(b'"', b"'") + _MARKS, re.DOTALL),
}
_BEFORE_COLONS = frozenset((b" ", b"\t", b"[", b"(", b"=", b"{", b","))
_UNITS = frozenset(
    b"B KB kB MB GB TB KiB MiB GiB TiB byte bytes ns us ms s sec secs second seconds min mins "
    b"minute minutes h hour hours day days millis MHz GHz \xc2\xb5s \xce\xbcs".split()
)
_RESTATED = re.compile(rb"\([0-9.,]+ ?([A-Za-z]+)\)")
_REQUEST = re.compile(rb"(?:GET|POST|PUT|DELETE|HEAD|PATCH|OPTIONS) ")
_UNESCAPED = re.compile(rb"\\[\x00-\xff]", re.DOTALL)
_TOLD_FIRST = re.compile(
    rb"[\x00-\x09\x0b-\x20\x7f]*(?:\Z|\n)|[\x00-\x09\x0b-\x20\x7f]+[A-Za-z0-9_\-./\\@%+$~&]+="
)
_TOLD_BY = re.compile(rb"(?:\A|(?<=[\x00-\x20\x7f]))(?:msg|message)=\Z")
_TRUTHS = frozenset(b"true True TRUE false False FALSE null None nil".split())
_RUNS = {Kind.IP, Kind.HEX, Kind.ID, Kind.PATH, Kind.URL, Kind.MAIL}
_EMPTY_KEY = re.compile(rb"[A-Za-z0-9_\-./\\@%+$~&\x80-\xff]=\Z")
_EMPTY_PAIR = re.compile(rb"(?:\A|[\x00-\x20\x7f=])[(\[{]\Z")


@dataclass(frozen=True, slots=True)
class Token:
    """Where a token is in the line, what it is, and whether only space is before it."""

    kind: int
    begin: int
    end: int
    is_apart: bool
    hash: int


def scanned(message: bytes) -> tuple[list[Token], int]:
    """Tokens of the first line of a message, and a hash of all that is between them."""
    text, base = _looked_at(message)
    tokens: list[Token] = []
    shape = held = _SEED
    marks, gap, i = b"", False, 0
    while i < len(text) and len(tokens) < MOST_TOKENS:
        if text[i] == 10 and tokens:
            break
        space = _SPACES.match(text, i) or _NEWLINE.match(text, i)
        if space:
            marks, gap, i = marks + b" ", shape != _SEED, space.end()
            continue
        before = tokens[-1] if tokens else None
        if before and before.kind == Kind.NUM and marks.strip() == b"" and marks:
            restated = _RESTATED.match(text, i)
            if restated and restated[1] in _UNITS:
                tokens[-1] = _longer(before, base + restated.end())
                marks, gap, i = b"", False, restated.end()
                continue
        shape = _mixed(shape, _IN_GAP) if gap else shape
        j, kind, gap = *_token(text, i), False
        if kind < 0:
            for k in range(i, j):
                shape = shape if k and text[k] == text[k - 1] else _mixed(shape, text[k])
            marks, i = marks + text[i:j], j
            if not _is_empty(text, i):
                continue
            kind = Kind.EMPTY
        if before and _joins(text[i:j], kind, before.kind, marks):
            tokens[-1], shape = _longer(before, base + j), held
        else:
            shape = _mixed(shape, _TOKEN)
            is_apart = marks != b"" and marks.strip() == b""
            tokens.append(Token(kind, base + i, base + j, is_apart, _hashed(kind, text[i:j])))
        held, marks, i = shape, b"", j
    return tokens, shape


def _looked_at(message: bytes) -> tuple[bytes, int]:
    """The part that is read, and where it begins: the last line of a traceback of Python's."""
    base = 0
    if message.startswith(b"Traceback (most recent call") and len(message) > 27:
        whole = re.sub(rb"[\x00-\x20\x7f]+\Z", b"", message)
        last = whole.rfind(b"\n") + 1
        base = last if last and len(whole) - last < MOST_BYTES else 0
    text = message[base:]
    if len(text) <= MOST_BYTES:
        return text, base
    cut = re.match(rb"(.*[\x00-\x20\x7f])", text[:MOST_BYTES], re.DOTALL)
    is_whole = cut is not None and cut.end() > MOST_BYTES - 256
    return text[: cut.end() if cut and is_whole else MOST_BYTES], base


def _token(text: bytes, i: int) -> tuple[int, int]:
    if _PLAIN.match(text, i):
        j, kind = word(text, i)
        return j, Kind.BOOL if kind == Kind.WORD and _is_truth(text, i, j) else kind
    first = text[i : i + 1]
    if first in _QUOTED:
        quoted = _QUOTED[first].match(text, i, i + 256 + 1)
        is_open = (i == 0 or not _PLAIN.match(text, i - 1)) and not _REQUEST.match(text, i + 1)
        is_open = is_open and not (quoted and _is_message(text, i, quoted))
        if is_open and quoted and quoted.end() <= i + 256:
            return quoted.end(), Kind.STR
    elif first in {b"<", b">"} and re.match(rb"[<>][0-9]", text[i : i + 2]):
        if i == 0 or re.match(rb"[\x00-\x20\x7f]", text[i - 1 : i]):
            return word(text, i + 1)
    elif _BODY.match(text, i):
        return _body(text, i), Kind.JSON
    elif first == b":" and (i == 0 or text[i - 1 : i] in _BEFORE_COLONS):
        return (colons(text, i), Kind.IP) if colons(text, i) else (i + 1, -1)
    return i + 1, -1


def _body(text: bytes, i: int) -> int:
    depth, opened = 0, _BODY.match(text, i)
    assert opened is not None
    for part in _IN_BODY[opened[0][-1:]].finditer(text, i):
        depth += part[0] in {b"{", b"["}
        depth -= part[0] in {b"}", b"]"}
        if depth == 0:
            return part.end()
    return len(text)


def _is_message(text: bytes, i: int, quoted: re.Match[bytes]) -> bool:
    if b" " not in _UNESCAPED.sub(b"", quoted[0]):
        return False
    if i == 0:
        return bool(_TOLD_FIRST.match(text, quoted.end()))
    return bool(_TOLD_BY.search(text[:i]))


def _is_truth(text: bytes, i: int, j: int) -> bool:
    named = re.search(rb"[=:][\x00-\x20\x7f]*\Z", text[:i])
    return named is not None and named.start() > 0 and text[i:j] in _TRUTHS


def _is_empty(text: bytes, i: int) -> bool:
    after = text[i : i + 1]
    if _EMPTY_KEY.search(text, max(i - 2, 0), i):
        return after == b"" or after in b" ,;)]}&\t\n\r"
    return after != b"" and after in b")]}" and bool(_EMPTY_PAIR.search(text[max(i - 2, 0) : i]))


def _joins(own: bytes, kind: int, before: int, marks: bytes) -> bool:
    if re.fullmatch(rb", *", marks):
        return kind == before and kind > Kind.NAME
    if marks == b"" or marks.strip() != b"":
        return False
    if before == Kind.DATE:
        return kind in {Kind.DATE, Kind.NUM, Kind.TIME}
    if before == Kind.NUM:
        return kind == Kind.WORD and own in _UNITS
    return kind == before and kind in _RUNS


def _longer(token: Token, end: int) -> Token:
    return Token(token.kind, token.begin, end, token.is_apart, token.hash)


def _mixed(h: int, x: int) -> int:
    h = (h ^ x) * _MIX & _WHOLE
    return h ^ (h >> 29)


def _hashed(kind: int, own: bytes) -> int:
    if kind > Kind.NAME:
        return _FORM + kind
    h = _SEED
    for byte in own:
        h = (h ^ byte) * _PRIME & _WHOLE
    return h ^ (h >> 29)
