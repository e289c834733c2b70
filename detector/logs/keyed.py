"""Values after keys that say that a secret follows: JSON, logfmt, query strings, headers, dumps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from detector.logs.hidden import Hidden, expression, hide, is_hidden

__all__ = ["keyed"]

# A key that ends with one of these has a secret for its value, whatever that looks like.
_STRONG = (
    rb"passwords?|passwd|pwd|passphrase|passcode|(?:api|access|private|secret|encryption|signing"
    rb"|account|shared[_-]?access|subscription|master)[_.-]?key|client[_.-]?secret"
    rb"|password[_.-]?hash|secret[_.-]?key[_.-]?base|authorization|cookies?|credentials?|cvv2?|cvc2?|ssn"
)
# Parsers, schedulers and locks have tokens, too: what follows must not look like a word.
_WEAK = (
    rb"token|secret|jwt|otp|pin|auth|session(?:[_.-]?id)?|sid|sig|signature|nonce"
    rb"|phone(?:[_.-]?number)?|mobile|msisdn"
)
# Of these a plain word or a short number is no secret, however it is written.
_NAMES = (b"auth", b"session", b"sid", b"sig", b"nonce")
_PHONES = (b"phone", b"mobile", b"msisdn")
_QUOTES, _OPEN = rb"(?:%22|[\\\"'\]]){0,4}", rb"(?:%22|\\{0,3}[\"'])?"
_SIGN = rb"([ \t]{0,4}(?:=>|:=|==?|:|%3D|%3A)[ \t]{0,4})"
_KEY = expression(
    rb"(?i)(?:(" + _STRONG + rb")|(" + _WEAK + rb"))(" + _QUOTES + rb")"
    + _SIGN + rb"(\[?)(" + _OPEN + rb")"
)  # fmt: skip
# Most lines have no such word, and are done with at once.
_ANY = expression(rb"(?i)identified|" + _STRONG + rb"|" + _WEAK)
_FLAG = expression(
    rb"(?i)--?[0-9a-z_-]{0,32}(?:" + _STRONG + rb"|token|secret)[ \t]{1,4}(" + _OPEN + rb")"
)
_QUOTED = expression(rb"(?i)(?:identified by|password|passwd|pwd)(?:[ \t]{1,4}|\()(\\{0,3}[\"'])")
_PAIR = expression(
    rb"(?i)[\"']?(?:name|key)[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?[0-9a-z_.-]{0,64}(?:" + _STRONG
    + rb"|token|secret)[\"']?(?:[,;][ \t]{0,4}|[ \t\n]{1,20})[\"']?value[\"']?[ \t]{0,4}[:=]"
    rb"[ \t]{0,4}(" + _OPEN + rb")"
)  # fmt: skip
_ELEMENT = expression(
    rb"(?i)<[0-9a-z_:.-]{0,32}(?:" + _STRONG + rb"|token|secret)(?:\s[^<>]{0,200})?>([^<]+)</"
)
_SCHEME = re.compile(
    rb"(?i)(?:(?P<long>digest|aws4-hmac-sha256|oauth|hmac[0-9a-z-]{0,16})"
    rb"|bearer|basic|token|negotiate|ntlm|api-?key|key|dpop|splunk|bot)(?: |%20|\+){1,4}"
)
# Where the next key of a list without spaces begins.
_NEXT = rb"(?:%26|[,;&)\]}|])[\"'\\]{0,3}[0-9A-Za-z_.-]{1,64}[\"'\\]{0,3}(?:%3D|[=:])"
_RUN = re.compile(rb"(?:(?!" + _NEXT + rb")[^\s\"'])*")
# A text of SQL or Python with its kind before it, as `N'...'` and `b"..."`.
_PREFIXED = re.compile(rb"[BEFNRUXbefnrux]{1,2}([\"'])")
_COOKIES = re.compile(rb"[^\s\"';,]+(?:;[ ]?[^\s\"';,]+)*")
_NUMBER = re.compile(rb"[+(]?[0-9][0-9 ()./-]{4,24}[0-9]")
_UNESCAPED = {
    b'"': re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL),
    # SQL writes a quote inside of quotes twice.
    b"'": re.compile(rb"[^'\\]*(?:(?:\\.|'')[^'\\]*)*", re.DOTALL),
}
_TRAILING = b",;)]}."
# A list in brackets is shorter, or ends with its first word.
_LIST_MOST, _CONNECTION_MOST = 4096, 256
_MASKED = re.compile(rb"[*xX.#-]+|\[?(?i:redacted|filtered|masked|hidden|omitted)\]?")
_WORDS = frozenset(
    b"true false null none nil undefined empty missing required invalid incorrect wrong bad expired"
    b" changed reset updated set unset failed failure mismatch ok success succeeded denied revoked"
    b" unauthorized forbidden valid unknown must should is was were are not has have had for cannot"
    b" can does did the a an and or of to in on at by with from too yes no enabled disabled default"
    b" created deleted rotated accepted rejected provided given found string".split()
)
_WORD_LEAST, _RANDOM_LEAST, _LONG, _DIGITS_LEAST = 4, 6, 20, 6


def keyed(text: bytes) -> Iterator[Hidden]:
    """What stands for a secret after the key, sign and quotes before it; these stay."""
    if _ANY.search(text) is None:
        return
    yield from _after_keys(text)
    for form in (_FLAG, _QUOTED, _PAIR):
        for one in form.finditer(text):
            value = _value(text, one.end(), one.group(1))
            if _is_secret(text[slice(*value)]):
                yield hide(value, "secret")
    for one in _ELEMENT.finditer(text):
        if _is_secret(one.group(1)):
            yield hide(one.span(1), "secret")


class _Key(NamedTuple):
    """A key as it was found: one of two kinds, and what stands between it and its value."""

    strong: bytes | None
    weak: bytes | None
    close: bytes
    sign: bytes
    list: bytes
    open: bytes


def _after_keys(text: bytes) -> Iterator[Hidden]:
    behind = 0
    for one in _KEY.finditer(text):
        if one.start() < behind:
            continue
        key = _Key(*one.groups())
        if key.strong is not None:
            value = _strong(text, one.end(), key, key.strong.lower())
            is_listed = text[one.start() - 1 : one.start()] == b";" and not key.open
            if value is not None and is_listed:
                value = _of_connection(text, value)
        elif _begins_word(text, one.start()):
            value = _weak(text, one.end(), key)
        else:
            continue
        if value is not None:
            behind = value[1]
            yield hide(value, "secret")


def _strong(text: bytes, start: int, key: _Key, name: bytes) -> tuple[int, int] | None:
    if name.startswith(b"cookie") and not key.open and not key.list:
        cookies = _COOKIES.match(text, start)
        value = (start, start) if cookies is None else cookies.span()
    elif key.list and (end := text.find(b"]", start, start + _LIST_MOST)) >= 0:
        value = start, start + len(text[start:end].rstrip(b"\"'\\"))
    else:
        value = _value(text, start, key.open)
    if name == b"authorization":
        value = _of_scheme(text, value, key.open + key.list)
        if _is_word(text[slice(*value)]):
            return None
    return value if _is_secret(text[slice(*value)]) else None


def _of_connection(text: bytes, value: tuple[int, int]) -> tuple[int, int]:
    """In `Server=db;Password=...;Database=x` a value has blanks, too, and ends before the next."""
    end = text.find(b";", value[1], value[1] + _CONNECTION_MOST)
    return value if end < 0 or b"\n" in text[value[1] : end] else (value[0], end)


def _of_scheme(text: bytes, value: tuple[int, int], enclosed: bytes) -> tuple[int, int]:
    """What follows the name of a scheme of HTTP's: the scheme itself may be read."""
    scheme = _SCHEME.match(text, value[0])
    if scheme is None:
        return value
    start = scheme.end()
    if enclosed:
        return min(start, value[1]), value[1]
    if scheme["long"]:
        return start, _line_end(text, start)
    return _value(text, start, b"")


def _weak(text: bytes, start: int, key: _Key) -> tuple[int, int] | None:
    number = _NUMBER.match(text, start) if _is_phone(key) else None
    value = _value(text, start, key.open) if number is None else number.span()
    found = text[slice(*value)]
    return value if _is_secret(found) and _is_meant(key, found) else None


def _is_meant(key: _Key, found: bytes) -> bool:
    name = (key.weak or b"").lower()
    if _is_phone(key):
        return sum(48 <= digit <= 57 for digit in found) >= _DIGITS_LEAST
    if name.startswith(_NAMES):
        return _is_random(found) and not found.isdigit()
    is_tight = bool(key.close) or not key.sign.endswith((b" ", b"\t"))
    return len(found) >= _WORD_LEAST if is_tight else _is_random(found)


def _is_phone(key: _Key) -> bool:
    return (key.weak or b"").lower().startswith(_PHONES)


def _begins_word(text: bytes, at: int) -> bool:
    """Whether a key begins here, or its last word: `accessToken`, `x_token`, not `spin`."""
    before, here = text[at - 1 : at], text[at : at + 1]
    is_coded = text[max(at - 3, 0) : at - 2] == b"%"
    return is_coded or not before.isalnum() or (here.isupper() and before.islower())


def _value(text: bytes, start: int, opened: bytes) -> tuple[int, int]:
    """Where a value lies that begins here after its opening quotes, if it has any."""
    if opened in _UNESCAPED:
        inside = _UNESCAPED[opened].match(text, start)
        end = len(text) if inside is None else inside.end()
        return (start, end) if end < len(text) else (start, _line_end(text, start))
    if opened:
        end = text.find(opened, start)
        while end > start and opened != b"%22" and text[end - 1] == 0x5C:
            end = text.find(opened, end + 1)
        return (start, end) if end >= 0 else (start, _line_end(text, start))
    prefixed = _PREFIXED.match(text, start)
    if prefixed is not None:
        return _value(text, prefixed.end(), prefixed[1])
    run = _RUN.match(text, start)
    found = b"" if run is None else run[0]
    return start, start + len(found.rstrip(_TRAILING) or found)


def _line_end(text: bytes, start: int) -> int:
    line = text.find(b"\n", start)
    return len(text) if line < 0 else line


def _is_secret(value: bytes) -> bool:
    """Whether something stands there that is no placeholder, no mask and no word of a sentence."""
    if not value or (value[:1] in b"{<[(" and (is_hidden(value) or len(value) == 1)):
        return False
    return _MASKED.fullmatch(value) is None and value.lower() not in _WORDS


def _is_word(value: bytes) -> bool:
    """Whether it tells of an authorization, as `granted` does, and is none."""
    return value.isalpha() and value[1:].islower() and len(value) < _LONG // 2


def _is_random(value: bytes) -> bool:
    """Whether no word of a language looks so: long enough, with digits or capitals inside."""
    if len(value) < _RANDOM_LEAST:
        return False
    has_digits = any(48 <= one <= 57 for one in value)
    is_mixed = not value.islower() and not value.isupper() and not value[1:].islower()
    return has_digits or (is_mixed and value.isalnum()) or len(value) >= _LONG
