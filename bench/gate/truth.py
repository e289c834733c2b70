"""A plan held against the truth of the series that it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.gate.scenes import CANARY, CONTROL, LENGTH_S, Scene, Series
from detector.discovery.amount import family_queries
from detector.discovery.matching import fits
from detector.ports import MetricSource
from detector.signals.plan import BoundSignal, Family, Plan
from detector.signals.signal import Kind

__all__ = ["Finding", "held_against"]

_OF_REQUESTS = {"error_rate", "latency", "tail95", "tail99"}
Key = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Signals that should be bound, those that are, and each binding that reads amiss, in words."""

    expected: frozenset[str]
    bound: frozenset[str]
    wrong: tuple[str, ...]


def held_against(scene: Scene, source: MetricSource, plan: Plan) -> Finding:
    """Each bound signal reads the expected metric, and in each arm its own series, all of them."""
    expected = scene.world.expected
    bound = {one.signal.name: one for one in plan.signals}
    wrong: list[str] = []
    for name, metric in expected.items():
        one = bound.get(name)
        if one is not None and one.total.metric != metric:
            wrong.append(f"{name} reads {one.total.metric} in place of {metric}")
        elif one is not None and not (scene.fault.silent and name not in _OF_REQUESTS):
            wrong += _amiss(scene, source, plan, one)
    return Finding(
        expected=frozenset(expected),
        bound=frozenset(bound) & frozenset(expected),
        wrong=tuple(wrong),
    )


def _amiss(scene: Scene, source: MetricSource, plan: Plan, bound: BoundSignal) -> Iterator[str]:
    """What a binding reads that it should not, or leaves out, arm by arm."""
    truth = {_key(one.labels): one for one in scene.series}
    families = [bound.total, *bound.also, *([bound.bad_in] if bound.bad_in else [])]
    pods = _pods(scene, source, plan)
    for family in families:
        wanted = [
            one
            for one in scene.series
            if one.labels["__name__"] == family.metric and one.role and _of(one, bound)
        ]
        read = _read(scene, source, plan, family, pods)
        for arm in (CANARY, CONTROL):
            yield from _compared(bound, family, arm, read[arm], wanted, truth)


def _of(one: Series, bound: BoundSignal) -> bool:
    name = bound.signal.name
    if bound.signal.kind is Kind.LATENCY:
        return one.role == "bucket"
    if name == "error_rate":
        return one.role in {"good", "bad", "count"}
    return one.role == name


def _compared(
    bound: BoundSignal,
    family: Family,
    arm: str,
    read: Mapping[Key, Mapping[str, str]],
    wanted: Sequence[Series],
    truth: Mapping[Key, Series],
) -> Iterator[str]:
    name = bound.signal.name
    mine = {_key(one.labels): one for one in wanted if one.arm == arm}
    strange, lost = read.keys() - mine.keys(), mine.keys() - read.keys()
    if strange:
        key = min(strange, key=sorted)
        of = truth.get(key)
        told = "another rollout's" if of is None else f"{of.arm} {of.role or 'trap'}"
        yield f"{name}: the {arm} reads {len(strange)} others, {told}: {_told(read[key])}"
    if lost:
        key = min(lost, key=sorted)
        yield f"{name}: the {arm} leaves out {len(lost)}: {_told(mine[key].labels)}"
    if name == "error_rate" and bound.bad_in is None:
        yield from _codes(bound, arm, read, mine)


def _codes(
    bound: BoundSignal,
    arm: str,
    read: Mapping[Key, Mapping[str, str]],
    mine: Mapping[Key, Series],
) -> Iterator[str]:
    """Whether the failures are those that are."""
    for key in read.keys() & mine.keys():
        is_bad = fits(bound.bad, read[key])
        one = mine[key]
        if one.role in {"good", "bad"} and is_bad != (one.role == "bad"):
            yield f"error_rate: the {arm} takes {one.role} for the other: {_told(read[key])}"


def _pods(scene: Scene, source: MetricSource, plan: Plan) -> frozenset[str]:
    found: set[str] = set()
    for query in family_queries(plan, plan.requests, ()):
        (answer,) = source.read([query], *_span(scene), timeout_s=60)
        found |= {one.labels.get(plan.requests.pod_label, "") for one in answer.series}
    return frozenset(found - {""})


def _span(scene: Scene) -> tuple[float, float]:
    return scene.start, scene.start + LENGTH_S


def _read(
    scene: Scene, source: MetricSource, plan: Plan, family: Family, pods: frozenset[str]
) -> dict[str, dict[Key, Mapping[str, str]]]:
    """The series of each arm, without what the family's health matchers leave out."""
    out: dict[str, dict[Key, Mapping[str, str]]] = {CANARY: {}, CONTROL: {}}
    ours = _canary_pods(scene, source, plan)
    for query in family_queries(plan, family, pods):
        (answer,) = source.read([query], *_span(scene), timeout_s=60)
        for one in answer.series:
            if any(m.label in one.labels and fits((m,), one.labels) for m in family.health):
                continue
            arm = _arm(plan, family, one.labels, ours)
            out[arm][_key(one.labels)] = one.labels
    return out


def _canary_pods(scene: Scene, source: MetricSource, plan: Plan) -> frozenset[str]:
    """Pods whose requests the canary's selector matches."""
    found: set[str] = set()
    for query in family_queries(plan, plan.requests, ())[:1]:
        (answer,) = source.read([query], *_span(scene), timeout_s=60)
        found |= {one.labels.get(plan.requests.pod_label, "") for one in answer.series}
    return frozenset(found)


def _arm(plan: Plan, family: Family, labels: Mapping[str, str], ours: frozenset[str]) -> str:
    if family.joined:
        return CANARY if labels.get(family.pod_label) in ours else CONTROL
    return CANARY if fits(plan.canary, labels) else CONTROL


def _key(labels: Mapping[str, str]) -> Key:
    return frozenset((k, v) for k, v in labels.items() if v)


def _told(labels: Mapping[str, str]) -> str:
    keep = {k: v for k, v in labels.items() if k not in {"job", "instance", "uid", "id"}}
    return str(keep)[:300]
