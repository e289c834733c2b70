"""PromQL label selectors: parsed, written and matched as Prometheus does it.

Grammar: Prometheus, "Querying basics" and its UTF-8 proposal (quoted label names). Regular
expressions are RE2, fully anchored, and `.` matches a newline, as in Prometheus' own matcher.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import re2

from detector.errors import InputError
from detector.series import Matcher, MatchOp, Query

__all__ = ["format_query", "matches", "matches_everything", "parse_selector"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_METRIC = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_OP = re.compile(r"=~|!~|!=|=")
_SPACE = re.compile(r"[ \t\r\n]*")
_OCTAL, _HEX = re.compile(r"[0-7]{3}"), re.compile(r"[0-9A-Fa-f]+")
_SIMPLE = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\",
}  # fmt: skip
_WIDTH = {"x": 2, "u": 4, "U": 8}
_ESCAPE = re.compile(r'["\\\n\r\t\x00-\x1f\x7f]')
# A selector that a person or a controller writes has a few hundred characters; 8 KiB and 64
# matchers leave room for generated pod lists and keep parsing and caches bounded.
_LENGTH_MAX, _COUNT_MAX, _REGEX_MAX = 8192, 64, 4096
# 1 MiB of RE2 program and states: `(a{1000}){1000}` and its kin are refused, not compiled.
_PROGRAM_BYTES = 1 << 20
_CACHED = 1024


def parse_selector(text: str, *, field: str = "selector") -> tuple[Matcher, ...]:
    """Matchers of a PromQL label selector; the braces may be left out.

    Raises `InputError` naming `field` for what Prometheus would refuse, and for what is too long.

    >>> parse_selector('{pod=~"web-.+", code!="200"}')[1]
    Matcher(label='code', op=<MatchOp.NOT_EQUAL: '!='>, value='200')
    """
    if len(text) > _LENGTH_MAX:
        raise InputError(
            f"the selector has {len(text)} characters; at most {_LENGTH_MAX} are read", field=field
        )
    return tuple(_Reader(text, field).matchers())


def format_query(query: Query) -> str:
    r"""PromQL text that selects exactly this query; no value can leave its quotes.

    >>> format_query(Query("up", (Matcher("job", MatchOp.EQUAL, 'a"b\\'),)))
    'up{job="a\\"b\\\\"}'
    """
    parts = [f"{_label(m.label)}{m.op.value}{_quoted(m.value)}" for m in query.matchers]
    if _METRIC.fullmatch(query.metric):
        return query.metric + ("{" + ",".join(parts) + "}" if parts else "")
    # The form that every version reads; Prometheus 2 knows no quoted metric name in braces.
    return "{" + ",".join([f"__name__={_quoted(query.metric)}", *parts]) + "}"


def matches(matcher: Matcher, labels: Mapping[str, str]) -> bool:
    """Whether a label set satisfies one matcher; an absent label is the empty string.

    Raises `InputError` (field `selector`) for a regular expression that RE2 refuses.
    """
    value = labels.get(matcher.label, "")
    match matcher.op:
        case MatchOp.EQUAL:
            return value == matcher.value
        case MatchOp.NOT_EQUAL:
            return value != matcher.value
        case MatchOp.MATCHES:
            return _compiled(matcher.value).fullmatch(value) is not None
        case MatchOp.NOT_MATCHES:
            return _compiled(matcher.value).fullmatch(value) is None


def matches_everything(matchers: Iterable[Matcher]) -> bool:
    """Whether no matcher excludes the series without labels, so that the selector is no choice.

    Prometheus refuses such selectors too: at least one matcher must not match the empty string.
    """
    return all(matches(matcher, {}) for matcher in matchers)


@lru_cache(maxsize=_CACHED)
def _compiled(pattern: str) -> Any:  # noqa: ANN401 - re2 ships no types
    if len(pattern) > _REGEX_MAX * 4:
        raise InputError("the regular expression is too long", field="selector")
    options = re2.Options()
    options.max_mem = _PROGRAM_BYTES
    options.log_errors = False
    options.dot_nl = True
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise InputError(
            f"the regular expression {_short(pattern)} is not RE2: {_reason(error)}",
            field="selector",
        ) from None
    except UnicodeEncodeError:
        raise InputError("the regular expression is not UTF-8 text", field="selector") from None


def _reason(error: Exception) -> str:
    first = error.args[0] if error.args else error
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _label(name: str) -> str:
    return name if _NAME.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    return '"' + _ESCAPE.sub(_escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    char = found.group()
    simple = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return simple.get(char) or f"\\x{ord(char):02x}"


class _Reader:
    """One pass over a selector."""

    def __init__(self, text: str, field: str) -> None:
        self.text, self.field, self.at = text, field, 0

    def matchers(self) -> Iterator[Matcher]:
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
            raise self._error(f"expected =, !=, =~ or !~ after {_short(label)}")
        self.at = found.end()
        op = MatchOp(found.group())
        self._skip()
        value = self._string()
        if op in (MatchOp.MATCHES, MatchOp.NOT_MATCHES):
            self._check(value)
        return Matcher(label, op, value)

    def _check(self, pattern: str) -> None:
        if len(pattern) > _REGEX_MAX:
            raise self._error(f"a regular expression of more than {_REGEX_MAX} characters")
        try:
            _compiled(pattern)
        except InputError as error:
            raise InputError(str(error), field=self.field) from None

    def _label(self) -> str:
        self._skip()
        if self.text[self.at : self.at + 1] in ('"', "'", "`"):
            label = self._string()
            if not label:
                raise self._error("a label name is empty")
            return label
        found = _NAME.match(self.text, self.at)
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
            f"cannot read the selector {_short(self.text)} at character {self.at + 1}: {what}",
            field=self.field,
        )
