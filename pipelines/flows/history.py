"""Past rollouts of services, found in a metric source by few queries.

Which revisions there ever were is told by the catalogue, when they were there by an outline of an
hour's step, and to the sample by raw reads around the begin of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from detector.backtest.course import PastRollout
from detector.discovery.census import Skipped
from detector.discovery.looking import Look
from detector.discovery.matching import Labels
from detector.discovery.past import Run, Seen, Telling, found_rollouts, revision_of, runs
from detector.discovery.splits import splits
from detector.discovery.survey import View
from detector.errors import SourceError
from detector.gate.request import VerdictRequest
from detector.ports import MetricOutline, MetricSource
from detector.series import Answer, Matcher, Query, Series
from detector.signals.signal import Unit

__all__ = ["Dug", "History", "past_rollout"]

_STEP_S = 3600.0
_LONGEST_S = 3600.0
_SETTLED_S = 300.0
# Services whose outline is asked for at once.
_AT_ONCE = 8
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dug:
    """What was found: rollouts read to the sample, those only seen from afar, and the rest."""

    read: tuple[Telling, ...]
    unread: tuple[Telling, ...]
    skipped: tuple[Skipped, ...]


@dataclass(slots=True, kw_only=True)
class History:
    """Digs in the past of a source from `look.begin` to `look.end`."""

    look: Look
    source: MetricSource
    left_s: Callable[[], float]
    tell: Told = lambda _: None
    skipped: list[Skipped] = field(default_factory=list)

    def dig(self, views: Mapping[str, View], *, most: int) -> Dug:
        """The rollouts of some services, at most `most` of them read, the newest first."""
        changed = {name: view for name, view in views.items() if _may_have_changed(view)}
        coarse = sorted(self._coarse(changed), key=lambda one: -one.start)
        read: list[Telling] = []
        unread: list[Telling] = []
        for one in coarse:
            if len(read) >= most:
                unread.append(one)
                continue
            self.tell(f"{one.service} {one.new.name}")
            found = self._fine(changed[one.service], one)
            if found is not None:
                read.append(found)
        return Dug(read=tuple(read), unread=tuple(unread), skipped=tuple(self.skipped))

    # -- from afar

    def _coarse(self, views: Mapping[str, View]) -> Iterator[Telling]:
        names = sorted(views)
        for begin in range(0, len(names), _AT_ONCE):
            part = names[begin : begin + _AT_ONCE]
            self.tell(", ".join(part))
            for name, answer in self._outlined([views[n] for n in part]):
                seen = _seen(views[name], answer.series, _STEP_S)
                seen += self._hunted(views[name], {one.pod for one in seen})
                yield from self._tellings(name, views[name], seen)

    def _tellings(self, name: str, view: View, seen: Sequence[Seen]) -> tuple[Telling, ...]:
        found = runs(seen, view.pod_label, gap_s=2.5 * _STEP_S)
        # Seen each hour, so that a begin in the first two hours may be no begin at all.
        since = self.look.begin + 2 * _STEP_S
        return found_rollouts(name, found, since=since, now=self.look.end, least_s=60.0)

    def _outlined(self, views: Sequence[View]) -> Iterator[tuple[str, Answer]]:
        """Who was there each hour; one by one where all at once is too much."""
        assert isinstance(self.source, MetricOutline)
        try:
            answers = self.source.outline(
                [view.query for view in views],
                self.look.begin,
                self.look.end,
                step_s=_STEP_S,
                timeout_s=self.left_s(),
            )
        except SourceError as error:
            if error.code == "query_rejected" and len(views) > 1:
                for view in views:
                    yield from self._outlined([view])
                return
            self._skip([view.service for view in views], error)
            return
        yield from zip((view.service for view in views), answers, strict=True)

    def _skip(self, services: Sequence[str], error: SourceError) -> None:
        why = f"its past was not looked at: {error}"
        self.skipped += [Skipped(what=name, why=why) for name in services]

    def _hunted(self, view: View, known: set[str]) -> list[Seen]:
        """Revisions that no full hour has seen: found by halving the span."""
        out = []
        for revision, pods in _by_revision(view).items():
            if revision is None or pods & known:
                continue
            span = self._halved(view, revision)
            if span is not None:
                out += [Seen(pod=p, revision=revision, first=span[0], last=span[1]) for p in pods]
        return out

    def _halved(self, view: View, revision: Matcher) -> tuple[float, float] | None:
        """An hour in which a revision was there."""
        query = Query(view.metric, (*view.matchers, revision))
        begin, end = self.look.begin, self.look.end
        try:
            while end - begin > _STEP_S:
                middle = (begin + end) / 2
                if self._is_there(query, begin, middle):
                    end = middle
                else:
                    begin = middle
        except SourceError as error:
            self._skip([view.service], error)
            return None
        return begin, end

    def _is_there(self, query: Query, begin: float, end: float) -> bool:
        found = self.look.catalog.series([query], begin, end, timeout_s=self.left_s())
        return bool(found)

    # -- to the sample

    def _fine(self, view: View, coarse: Telling) -> Telling | None:
        """The rollout by raw samples around its begin; None where it was none after all."""
        begin, end = coarse.start - 2 * _SETTLED_S, coarse.start + _STEP_S + _LONGEST_S
        both = [coarse.new.revision, coarse.old.revision]
        queries = [Query(view.metric, (*view.matchers, revision)) for revision in both]
        try:
            answers = self.source.read(queries, begin, end, timeout_s=self.left_s())
        except SourceError as error:
            self._skip([f"{view.service} {coarse.new.name}"], error)
            return None
        new, old = (
            _refined(run, view, answer, begin, end)
            for run, answer in zip((coarse.new, coarse.old), answers, strict=True)
        )
        if new is None or old is None:
            return None
        found = found_rollouts(
            view.service, [new, old], since=begin - _SETTLED_S, now=self.look.end
        )
        return next(
            (replace(one, is_return=coarse.is_return) for one in found if one.new is new), None
        )


def _may_have_changed(view: View) -> bool:
    """Whether a service has had more than one revision, or pods that tell none."""
    if view.pack.unit is not Unit.POD:
        return False
    told = _by_revision(view)
    return len(told) > 1 or None in told


def _by_revision(view: View) -> dict[Matcher | None, set[str]]:
    out: dict[Matcher | None, set[str]] = {}
    telling = _telling(view)
    for labels in view.series:
        pod = labels.get(view.pod_label, "")
        out.setdefault(telling(pod, labels), set()).add(pod)
    return out


def _telling(view: View) -> Callable[[str, Labels], Matcher | None]:
    """What tells a pod's revision, by labels that do not change their meaning."""
    found = splits(view.series, view.pod_label)
    usable = {split.label for split in found if not split.against}

    def revision(pod: str, labels: Labels) -> Matcher | None:
        kept = {name: value for name, value in labels.items() if name in usable}
        return revision_of(pod, view.pod_label, kept)

    return revision


def _seen(view: View, found: Sequence[Series], margin_s: float) -> list[Seen]:
    """Pods with their first and last moment, each wider by a margin."""
    spans: dict[str, tuple[float, float]] = {}
    labels: dict[str, Labels] = {}
    telling = _telling(view)
    for series in found:
        if not series.times.size:
            continue
        pod = series.labels.get(view.pod_label, "")
        labels[pod] = series.labels
        first, last = float(series.times[0]), float(series.times[-1])
        known = spans.get(pod, (first, last))
        spans[pod] = min(known[0], first), max(known[1], last)
    return [
        Seen(
            pod=pod,
            revision=telling(pod, labels[pod]),
            first=first - margin_s,
            last=last + margin_s,
        )
        for pod, (first, last) in spans.items()
    ]


def _refined(run: Run, view: View, answer: Answer, begin: float, end: float) -> Run | None:
    """A run by raw samples of a span: its ends are exact where they lie in the span."""
    seen = _seen(view, answer.series, 0.0)
    if not seen:
        return None
    first, last = min(one.first for one in seen), max(one.last for one in seen)
    return replace(
        run,
        first=first if first > begin + _SETTLED_S else min(run.first, first),
        last=last if last < end - _SETTLED_S else max(run.last, last),
        pods=frozenset(one.pod for one in seen),
    )


def past_rollout(telling: Telling, namespace: str | None = None) -> PastRollout:
    """A rollout that was found, as the gate is asked about it."""
    return PastRollout(
        request=VerdictRequest(
            service=telling.service,
            namespace=namespace,
            canary=telling.new.selector,
            control=telling.old.selector,
            revision=telling.new.name,
            started_at=datetime.fromtimestamp(telling.start, UTC),
        ),
        start=telling.start,
        end=telling.until,
        name=f"{telling.service} {telling.new.name}",
    )
