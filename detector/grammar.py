"""The grammar of label selectors: Prometheus, "Querying basics" and its UTF-8 proposal."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detector.errors import InputError
from detector.patterns import LONGEST, compiled, short
from detector.series import Matcher, MatchOp

__all__ = ["NAME", "Reader"]

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OP = re.compile(r"=~|!~|!=|=")
_SPACE = re.compile(r"[ \t\r\n]*")
_OCTAL, _HEX = re.compile(r"[0-7]{3}"), re.compile(r"[0-9A-Fa-f]+")
_SIMPLE = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\",
}  # fmt: skip
_WIDTH = {"x": 2, "u": 4, "U": 8}
# Room for generated pod lists; what is written by hand has a handful.
_COUNT_MAX = 64


class Reader:
    """One pass over a selector; errors are `InputError` of `field`."""

    def __init__(self, text: str, field: str) -> None:
        self.text, self.field, self.at = text, field, 0

    def matchers(self) -> Iterator[Matcher]:
        """Each matcher; braces may be left out, a comma may end the list."""
        braces = self._take("{")
        closing = "}" if braces else ""
        count = 0
        while not self._at_end(closing):
            count += 1
            if count > _COUNT_MAX:
                raise self._error(f"more than {_COUNT_MAX} matchers")
            yield self._matcher()
            if not self._take(",") and not self._at_end(closing):
                raise self._error("expected a comma" + (' or "}"' if braces else ""))
        if braces and not self._take("}"):
            raise self._error('expected "}"')
        self._skip()
        if self.at < len(self.text):
            raise self._error("text after the selector")

    def _at_end(self, closing: str) -> bool:
        self._skip()
        rest = self.text[self.at : self.at + 1]
        return rest in ("", closing)

    def _matcher(self) -> Matcher:
        label = self._label()
        self._skip()
        found = _OP.match(self.text, self.at)
        if found is None:
            raise self._error(f"expected =, !=, =~ or !~ after {short(label)}")
        self.at = found.end()
        op = MatchOp(found.group())
        self._skip()
        value = self._string()
        if op in (MatchOp.MATCHES, MatchOp.NOT_MATCHES):
            self._check(value)
        return Matcher(label, op, value)

    def _check(self, pattern: str) -> None:
        if len(pattern) > LONGEST:
            raise self._error(f"a regular expression of more than {LONGEST} characters")
        try:
            compiled(pattern)
        except InputError as error:
            raise InputError(str(error), field=self.field) from None

    def _label(self) -> str:
        self._skip()
        if self.text[self.at : self.at + 1] in ('"', "'", "`"):
            label = self._string()
            if not label:
                raise self._error("a label name is empty")
            return label
        found = NAME.match(self.text, self.at)
        if found is None:
            raise self._error("expected a label name")
        self.at = found.end()
        return found.group()

    def _string(self) -> str:
        quote = self.text[self.at : self.at + 1]
        if quote not in ('"', "'", "`") or not quote:
            raise self._error("expected a quoted value")
        self.at += 1
        return self._raw() if quote == "`" else self._escaped(quote)

    def _raw(self) -> str:
        end = self.text.find("`", self.at)
        if end < 0:
            raise self._error("a quote is not closed")
        value, self.at = self.text[self.at : end], end + 1
        return self._utf8(value)

    def _escaped(self, quote: str) -> str:
        out = bytearray()
        while True:
            char = self.text[self.at : self.at + 1]
            if char in ("", "\n"):
                raise self._error("a quote is not closed")
            self.at += 1
            if char == quote:
                return self._decoded(bytes(out))
            out += self._escape(quote) if char == "\\" else self._utf8(char).encode()

    def _escape(self, quote: str) -> bytes:
        char = self.text[self.at : self.at + 1]
        self.at += 1
        if char == quote and char:
            return char.encode()
        if char in _SIMPLE and char:
            return _SIMPLE[char].encode()
        if char in _WIDTH and char:
            return self._hexadecimal(char)
        octal = _OCTAL.match(self.text, self.at - 1)
        if octal and int(octal.group(), 8) < 256:
            self.at = octal.end()
            return bytes([int(octal.group(), 8)])
        raise self._error(f"unknown escape \\{char}")

    def _hexadecimal(self, kind: str) -> bytes:
        digits = self.text[self.at : self.at + _WIDTH[kind]]
        if len(digits) < _WIDTH[kind] or not _HEX.fullmatch(digits):
            raise self._error(f"\\{kind} needs {_WIDTH[kind]} hexadecimal digits")
        self.at += _WIDTH[kind]
        code = int(digits, 16)
        if kind == "x":
            return bytes([code])
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise self._error("an escape is no Unicode character")
        return chr(code).encode()

    def _decoded(self, value: bytes) -> str:
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise self._error("a value is not UTF-8") from None

    def _utf8(self, value: str) -> str:
        if any(0xD800 <= ord(char) <= 0xDFFF for char in value):
            raise self._error("a value is not UTF-8")
        return value

    def _skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _take(self, char: str) -> bool:
        self._skip()
        if self.text[self.at : self.at + 1] != char:
            return False
        self.at += 1
        return True

    def _error(self, what: str) -> InputError:
        return InputError(
            f"cannot read the selector {short(self.text)} at character {self.at + 1}: {what}",
            field=self.field,
        )
