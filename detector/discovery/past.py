"""Past rollouts of a service, from who was there when: pod hashes, version labels, start times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from detector.discovery.matching import Labels, any_of, equal, literal
from detector.discovery.workloads import HASH_LABELS, hash_of, prefix_of
from detector.gate.presence import revision_keys
from detector.selector import format_query
from detector.series import Matcher, MatchOp, Query

__all__ = ["Ending", "Run", "Seen", "Telling", "found_rollouts", "revision_of", "runs"]

# Pods without hash or version that began within this time of each other are one release.
_TOGETHER_S = 600.0
_ROLE = re.compile(r"-(canary|primary|stable|preview|active|blue|green)$")


class Ending(StrEnum):
    """What became of a rollout."""

    PROMOTED = "promoted"
    ROLLED_BACK = "rolled back"
    OPEN = "both still there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A pod, what its labels say of its revision, and when it was there (unix seconds)."""

    pod: str
    revision: Matcher | None
    first: float
    last: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A revision that was there without a break; `by` says how its pods were told from others."""

    revision: Matcher
    pods: frozenset[str]
    first: float
    last: float
    by: str

    @property
    def selector(self) -> str:
        """What selects its pods, in braces."""
        return format_query(Query("x", (self.revision,)))[1:]

    @property
    def name(self) -> str:
        """What people call it: the hash or the version."""
        text = self.revision.value
        return text.replace("\\", "").removesuffix("-.+") if self.by == "pod hash" else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """A rollout: `new` came while `old` served; until `until` both were there together."""

    service: str
    new: Run
    old: Run
    until: float
    ending: Ending
    is_return: bool = False

    @property
    def start(self) -> float:
        """When the new revision was first seen."""
        return self.new.first


def revision_of(pod: str, pod_label: str, labels: Labels) -> Matcher | None:
    """What selects the revision of a pod: a hash label, the hash in its name, or a version label.

    None where neither tells it.

    >>> revision_of("web-6d9f7c-k8w2d", "pod", {}).value
    'web-6d9f7c-.+'
    """
    for label in HASH_LABELS:
        if labels.get(label):
            return equal(label, labels[label])
    if hash_of(pod):
        return Matcher(pod_label, MatchOp.MATCHES, f"{literal(prefix_of(pod))}.+")
    for key in sorted(revision_keys(pod, labels)):
        label, _, value = key.partition(":")
        return equal(label, value)
    return None


def runs(seen: Iterable[Seen], pod_label: str, *, gap_s: float) -> tuple[Run, ...]:
    """Revisions with the times at which they were there, in order of their begin.

    A revision that was away for more than `gap_s` seconds begins another run. Pods without a
    revision are taken together by when they started.
    """
    told: dict[Matcher, list[Seen]] = {}
    plain: list[Seen] = []
    for one in seen:
        if one.revision is None:
            plain.append(one)
        else:
            told.setdefault(one.revision, []).append(one)
    found = [run for revision, pods in told.items() for run in _runs(revision, pods, gap_s)]
    found += _by_start(plain, pod_label)
    return tuple(sorted(found, key=lambda run: (run.first, run.selector)))


def _runs(revision: Matcher, seen: Sequence[Seen], gap_s: float) -> Iterator[Run]:
    by = "version label" if revision.op is MatchOp.EQUAL else "pod hash"
    by = "pod hash" if revision.label in HASH_LABELS else by
    held: list[Seen] = []
    for one in sorted(seen, key=lambda pod: pod.first):
        if held and one.first - max(pod.last for pod in held) > gap_s:
            yield _run(revision, held, by)
            held = []
        held.append(one)
    if held:
        yield _run(revision, held, by)


def _run(revision: Matcher, seen: Sequence[Seen], by: str) -> Run:
    return Run(
        revision=revision,
        pods=frozenset(pod.pod for pod in seen),
        first=min(pod.first for pod in seen),
        last=max(pod.last for pod in seen),
        by=by,
    )


def _by_start(seen: Sequence[Seen], pod_label: str) -> Iterator[Run]:
    """Cohorts of pods that started together."""
    held: list[Seen] = []
    for one in sorted(seen, key=lambda pod: pod.first):
        if held and one.first - held[-1].first > _TOGETHER_S:
            yield _cohort(held, pod_label)
            held = []
        held.append(one)
    if held:
        yield _cohort(held, pod_label)


def _cohort(seen: Sequence[Seen], pod_label: str) -> Run:
    return _run(any_of(pod_label, (pod.pod for pod in seen)), seen, "start times")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bounds:
    since: float
    now: float
    least_s: float
    longest_s: float


def found_rollouts(
    service: str,
    found: Sequence[Run],
    *,
    since: float,
    now: float,
    least_s: float = 120.0,
    longest_s: float = 3600.0,
) -> tuple[Telling, ...]:
    """Rollouts among the runs of a service, oldest first.

    A rollout begins when a run appears after `since` while another has been there for longer
    than it will yet be together with it, and both are there together for `least_s` seconds. It is
    over when either is gone, or after `longest_s`. Pods that start while only their own revision
    is there are an autoscaler's; a service that was not there before `since` has no rollout.
    """
    bounds = _Bounds(since=since, now=now, least_s=least_s, longest_s=longest_s)
    told = [one for run in found if (one := _rollout(service, run, found, bounds)) is not None]
    return tuple(sorted(told, key=lambda one: one.start))


def _rollout(service: str, new: Run, found: Sequence[Run], bounds: _Bounds) -> Telling | None:
    if new.first <= bounds.since + bounds.least_s:
        return None
    olds = _alike(new, [run for run in found if _is_old(run, new, bounds)])
    if not olds:
        return None
    old = max(olds, key=lambda run: (len(run.pods), run.last))
    if new.by == "start times" and not _replaces(new, old):
        return None
    both = min(new.last, old.last)
    return Telling(
        service=service,
        new=new,
        old=old,
        until=min(both, new.first + bounds.longest_s),
        ending=_ending(new, old, bounds.now),
        is_return=any(run.revision == new.revision and run.last < new.first for run in found),
    )


def _alike(new: Run, olds: Sequence[Run]) -> Sequence[Run]:
    """Those of the same workload; all where names tell no workload of either."""
    own = _workload(new)
    return [run for run in olds if _workload(run) == own or "" in {own, _workload(run)}]


def _workload(run: Run) -> str:
    """What a run's pods are called before the hash, without the role; empty where not told."""
    named = {prefix_of(pod).removesuffix(f"-{hash_of(pod)}-") for pod in run.pods if hash_of(pod)}
    return _ROLE.sub("", next(iter(named))) if len(named) == 1 else ""


def _is_old(run: Run, new: Run, bounds: _Bounds) -> bool:
    """Whether a run was there before a new one, and stayed beside it for long enough."""
    together = min(run.last, new.last) - new.first
    before = new.first - run.first
    return run.revision != new.revision and together >= bounds.least_s and before >= bounds.least_s


def _replaces(new: Run, old: Run) -> bool:
    """Of cohorts: whether the old one went when the new one came, and not by an autoscaler."""
    return old.last - new.first <= 2 * 3600.0 and new.last > old.last


def _ending(new: Run, old: Run, now: float) -> Ending:
    """Who is there at the end; a run that ends within the last minutes is there still."""
    alive_s = 900.0
    if new.last > old.last and old.last < now - alive_s:
        return Ending.PROMOTED
    if old.last > new.last and new.last < now - alive_s:
        return Ending.ROLLED_BACK
    return Ending.OPEN
