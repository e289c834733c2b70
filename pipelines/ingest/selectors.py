"""Selectors of series that are pulled: read from text, and told as queries of one metric each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from detector.errors import InputError
from detector.selector import matches, matches_everything, parse_selector
from detector.series import Matcher, MatchOp, Query

__all__ = ["Selector", "queries_of", "selector_of"]

_NAME = "__name__"
_METRIC = re.compile(r"\s*([A-Za-z_:][A-Za-z0-9_:]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """What is pulled: of one metric, or (`metric` None) of all whose names suit."""

    metric: str | None
    names: tuple[Matcher, ...]
    others: tuple[Matcher, ...]

    def suits(self, metric: str) -> bool:
        """Whether series of a metric may be selected."""
        return all(matches(matcher, {_NAME: metric}) for matcher in self.names)


def selector_of(text: str) -> Selector:
    """A selector as PromQL writes it; `InputError` for what is none, or selects everything.

    >>> selector_of('up{job="shop"}').metric
    'up'
    >>> selector_of('{__name__=~"shop_.+"}').suits("shop_requests_total")
    True
    """
    found = _METRIC.match(text)
    rest = text[found.end() :] if found else text
    matchers = list(parse_selector(rest.strip(), field="selectors"))
    if found:
        matchers.insert(0, Matcher(_NAME, MatchOp.EQUAL, found.group(1)))
    if matches_everything(matchers):
        raise InputError(f"the selector {text!r} selects every series there is", field="selectors")
    names = tuple(matcher for matcher in matchers if matcher.label == _NAME)
    exact = [matcher.value for matcher in names if matcher.op is MatchOp.EQUAL]
    return Selector(
        metric=exact[0] if exact else None,
        names=names,
        others=tuple(matcher for matcher in matchers if matcher.label != _NAME),
    )


def queries_of(selectors: Iterable[Selector], names: Iterable[str]) -> list[Query]:
    """A query for each metric that is selected, each once; `names` are those that there are."""
    known = sorted(names)
    found: dict[Query, None] = {}
    for selector in selectors:
        wanted = known if selector.metric is None else [selector.metric]
        suiting = filter(selector.suits, wanted)
        found |= dict.fromkeys(Query(metric, selector.others) for metric in suiting)
    return list(found)
