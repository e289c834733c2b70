"""PromQL label selectors: parsed, written and matched as Prometheus does it.

How they are read stands in `grammar`, their regular expressions in `patterns`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from detector.errors import InputError
from detector.grammar import NAME, Reader
from detector.patterns import compiled
from detector.series import Matcher, MatchOp, Query

__all__ = ["format_query", "matches", "matches_everything", "parse_selector", "parse_side"]

_METRIC = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_ESCAPE = re.compile(r'["\\\n\r\t\x00-\x1f\x7f]')
# What a person or a controller writes has a few hundred characters; this leaves room for generated
# pod lists and keeps parsing and caches bounded.
_LENGTH_MAX = 8192


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
    return tuple(Reader(text, field).matchers())


def parse_side(text: str, *, field: str) -> tuple[Matcher, ...]:
    """The selector of a canary or a control, put beside the name of each metric that is read.

    Raises `InputError` as `parse_selector`, and for one that names a metric itself.
    """
    found = parse_selector(text, field=field)
    if any(matcher.label == "__name__" for matcher in found):
        raise InputError(
            "the selector says whose series are meant, not which metric: leave out __name__",
            field=field,
        )
    return found


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
            return compiled(matcher.value).fullmatch(value) is not None
        case MatchOp.NOT_MATCHES:
            return compiled(matcher.value).fullmatch(value) is None


def matches_everything(matchers: Iterable[Matcher]) -> bool:
    """Whether no matcher excludes the series without labels, so that the selector is no choice.

    Prometheus refuses such selectors too: at least one matcher must not match the empty string.
    """
    return all(matches(matcher, {}) for matcher in matchers)


def _label(name: str) -> str:
    return name if NAME.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    return '"' + _ESCAPE.sub(_escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    char = found.group()
    simple = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return simple.get(char) or f"\\x{ord(char):02x}"
