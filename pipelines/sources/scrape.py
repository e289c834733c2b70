"""Scrape `/metrics` of a few targets into the embedded store, where there is no Prometheus."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpcore2
import httpx2

from pipelines.sources.body import OversizeError, bounded_body
from pipelines.sources.deadline import Deadline, DeadlineTransport
from pipelines.sources.exposition import parse_exposition, parse_series
from pipelines.sources.memory import MemorySource

__all__ = ["Scraper", "Target"]

MOST_AT_ONCE = 8
LARGEST_BODY = 16 * 2**20

TargetKey = tuple[str, frozenset[tuple[str, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One endpoint; `labels` are put on all its series, `instance` and `job` if not given."""

    url: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def identity(self) -> dict[str, str]:
        """Labels that say where a sample came from."""
        return {"job": "serinus", "instance": urlsplit(self.url).netloc} | dict(self.labels)

    def key(self) -> TargetKey:
        """What tells it from other targets."""
        return self.url, frozenset(self.labels.items())


class Scraper:
    """Scrapes every target each `interval_s` in a thread of its own, until stopped.

    As in Prometheus: samples bear the time at which the scrape began; `up` and
    `scrape_duration_seconds` are kept per target, and `up` is 0 when it is down, slow, too large
    or unreadable; a label that the target's own labels already use becomes `exported_<label>`.
    `targets` may be replaced at any time (pods come and go); use it in a `with` block.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        interval_s: float,
        store: MemorySource,
        *,
        timeout_s: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.targets = tuple(targets)
        self.interval_s = interval_s
        self.timeout_s = interval_s if timeout_s is None else timeout_s
        self.failures: dict[str, str] = {}
        self._store = store
        self._clock = clock
        self._labels: dict[TargetKey, dict[str, dict[str, str]]] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="serinus-scraper", daemon=True)
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="serinus-scrape")
        self._transport = DeadlineTransport(
            None, connections=MOST_AT_ONCE, connect_s=self.timeout_s
        )

    def __enter__(self) -> Scraper:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin; the first scrape is at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the scrapes that are under way."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self._pool.shutdown()
        self._transport.close()

    def scrape_once(self) -> None:
        """Scrape every target once and wait for it."""
        targets = self.targets
        self._forget_labels(targets)
        for _ in self._pool.map(self._scrape, targets):
            pass

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stopped.wait(max(due - time.monotonic(), 0.0)):
            self.scrape_once()
            due = max(due + self.interval_s, time.monotonic())

    def _scrape(self, target: Target) -> None:
        at = round(self._clock(), 3)
        begun = time.monotonic()
        identity = target.identity()
        samples: list[tuple[Mapping[str, str], float, float]] = []
        failure = self._collect(target, at, samples)
        seconds = time.monotonic() - begun
        if failure:
            samples.clear()
            self.failures[target.url] = failure
        else:
            self.failures.pop(target.url, None)
        samples.append(({"__name__": "up"} | identity, at, float(not failure)))
        samples.append(({"__name__": "scrape_duration_seconds"} | identity, at, seconds))
        self._store.extend(samples)

    def _collect(
        self, target: Target, at: float, samples: list[tuple[Mapping[str, str], float, float]]
    ) -> str:
        """Fill `samples`; the text of what went wrong, or nothing."""
        try:
            for sample in parse_exposition(self._fetch(target)):
                moment = at if sample.time is None else sample.time
                samples.append((self._labelled(target, sample.series), moment, sample.value))
        except httpcore2.TimeoutException:
            return f"no whole answer within {self.timeout_s:g} s"
        except (
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            httpx2.HTTPError,
            OversizeError,
            ValueError,
        ) as error:
            return str(error) or type(error).__name__
        return ""

    def _fetch(self, target: Target) -> str:
        headers = {"Accept": "text/plain;version=0.0.4", "Accept-Encoding": "identity"}
        request = httpx2.Request("GET", target.url, headers=headers)
        with self._transport.holding(Deadline(self.timeout_s)):
            response = self._transport.handle_request(request)
            try:
                if response.status_code != httpx2.codes.OK:
                    raise ValueError(f"status {response.status_code}")
                return bounded_body(response, LARGEST_BODY).decode("utf-8")
            finally:
                response.close()

    def _labelled(self, target: Target, series: str) -> dict[str, str]:
        """Labels of a line, remembered: a target writes the same series each time."""
        known = self._labels.setdefault(target.key(), {})
        labels = known.get(series)
        if labels is None:
            identity = target.identity()
            labels = {
                f"exported_{name}" if name in identity else name: value
                for name, value in parse_series(series).items()
            } | identity
            known[series] = labels
        return labels

    def _forget_labels(self, targets: Sequence[Target]) -> None:
        for gone in self._labels.keys() - {target.key() for target in targets}:
            del self._labels[gone]
