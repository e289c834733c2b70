"""The labels of a stream of Loki, as text: `{app="shop", pod="shop-1"}`."""

from __future__ import annotations

from detector.errors import InputError
from detector.selector import parse_selector
from detector.series import MatchOp
from pipelines.ingest.decoded import broken

__all__ = ["labels_of"]


def labels_of(text: str) -> dict[str, str]:
    """By name; `InputError` for what are no labels, or none at all.

    >>> labels_of('{app="shop", pod="shop-1"}')
    {'app': 'shop', 'pod': 'shop-1'}
    """
    try:
        matchers = parse_selector(text, field="labels")
    except InputError as error:
        raise broken(f"the labels of a stream cannot be read: {text[:80]!r}") from error
    if not matchers:
        raise broken("a stream needs at least one label")
    if any(matcher.op is not MatchOp.EQUAL for matcher in matchers):
        raise broken(f"the labels of a stream hold more than `=`: {text[:80]!r}")
    return {matcher.label: matcher.value for matcher in matchers}
