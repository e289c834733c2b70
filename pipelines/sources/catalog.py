"""What exists in a Prometheus, through prometheus-api-client with our own wire beneath it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from detector.errors import InputError, SourceError
from detector.selector import format_query
from detector.series import Query
from pipelines.sources.deadline import Deadline
from pipelines.sources.exchange import Exchange
from pipelines.sources.settings import SourceSettings
from pipelines.sources.wire import not_the_api

if TYPE_CHECKING:
    from prometheus_api_client import PrometheusConnect

__all__ = ["PrometheusCatalog"]

T = TypeVar("T")

# The names that all versions of Prometheus take; this one goes into the path of a URL.
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
DOTTED = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.]*")
# Label values are asked for with GET only, and proxies in front cut URLs at 8 KB.
LONGEST_MATCH = 4000
# Older servers know no `limit` on series and send them all: a list is read no further than so many
# bytes for each series that is allowed. Twenty labels of a Kubernetes target have 700.
SERIES_BYTES = 1000


class PrometheusCatalog:
    """`MetricCatalog` by the client's calls; time, size, tries and auth are those of `Exchange`."""

    def __init__(self, settings: SourceSettings, exchange: Exchange) -> None:
        self._settings = settings
        self._exchange = exchange

    def metrics(self, *, timeout_s: float) -> frozenset[str]:
        """Names of all metrics that the source knows."""
        client = self._client(timeout_s)
        names = self._checked(client.all_metrics, list[str])
        if not names:  # VictoriaMetrics of today tells those of the last day unless told a start
            names = self._checked(lambda: client.all_metrics({"start": 1}), list[str])
        return frozenset(names)

    def series(
        self, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[Mapping[str, str]]:
        """Label sets of the series in the span; `query_rejected` when over `max_series`."""
        if not queries:
            return ()
        bound = self._settings.budget.max_series
        params = {"match[]": [*map(format_query, queries)], "limit": bound + 1}
        client = self._client(timeout_s)
        found = self._checked(
            lambda: client.get_series(_moment(start), _moment(end), params), list[dict[str, str]]
        )
        if len(found) > bound:
            found.clear()  # the error travels by a future and its frames: they outlive this call
            raise SourceError(
                f"{self._exchange.where}: discovery selects over {bound:,} series; narrow the "
                "selector or raise the budget max_series",
                code="query_rejected",
                retryable=False,
            )
        return found

    def label_values(
        self, label: str, queries: Sequence[Query], start: float, end: float, *, timeout_s: float
    ) -> Sequence[str]:
        """Sorted values of one label over the series that match any of the queries."""
        named = _in_path(label)
        client = self._client(timeout_s)
        values: set[str] = set()
        for matches in _portions([*map(format_query, queries)]):
            params = {"match[]": matches, "start": start, "end": end}
            call = partial(client.get_label_values, named, params)
            values.update(self._checked(call, list[str]))
        return sorted(values)

    def metadata(self, *, timeout_s: float) -> Mapping[str, str]:
        """Type (`counter`, `gauge`, `histogram`…) by metric name; the first one told wins."""
        call = self._client(timeout_s).get_metric_metadata
        entries = self._checked(lambda: call(""), list[dict[str, str]])
        return {entry["metric_name"]: entry["type"] for entry in reversed(entries)}

    def _client(self, timeout_s: float) -> PrometheusConnect:
        from pipelines.sources.client import connect

        params = tuple(self._settings.params.items())
        url, deadline = self._settings.url.rstrip("/"), Deadline(timeout_s)
        most = self._settings.budget.max_series * SERIES_BYTES
        return connect(url, self._exchange, deadline, params, most)

    def _checked(self, call: Callable[[], Any], kind: type[T]) -> T:
        """What the client returns, checked for its shape; it trusts the body blindly."""
        try:
            return msgspec.convert(call(), kind)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SourceError(
                f"{self._exchange.where} {not_the_api(error)}", retryable=False
            ) from error


def _in_path(label: str) -> str:
    """A label's name as it stands in a URL: one with dots is escaped, as Prometheus 3 reads it.

    >>> _in_path("service"), _in_path("service.name")
    ('service', 'U__service_2e_name')
    """
    if LABEL_NAME.fullmatch(label):
        return label
    if not DOTTED.fullmatch(label):
        raise InputError(f"{label[:80]!r} is not a label name", field="label")
    return "U__" + label.replace("_", "__").replace(".", "_2e_")


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _portions(matches: Sequence[str]) -> Iterator[list[str]]:
    """Cut matchers into lists that fit into a URL."""
    portion: list[str] = []
    for match in matches:
        if portion and sum(map(len, portion)) + len(match) > LONGEST_MATCH:
            yield portion
            portion = []
        portion.append(match)
    if portion:
        yield portion
