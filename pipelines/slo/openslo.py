"""Objectives from YAML: documents of OpenSLO v1, and a shorthand that needs no query.

https://github.com/OpenSLO/OpenSLO, version v1. What it allows and serinus does not do is refused
with the field that says so: nothing is read and left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import yaml

from detector.errors import ConfigError, InputError
from detector.selector import parse_selector
from detector.series import MatchOp, Query
from detector.slo.objective import BurnCondition, Counted, Objective, OfSignal
from detector.slo.window import Calendar, Rolling, parse_duration
from pipelines.slo import documents as doc
from pipelines.yaml_files import texts_of

__all__ = ["load_objectives", "parse_objectives"]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BYTES, _DEEP, _PARTS, _MANY = 1 << 20, 24, 50_000, 1000
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_VERSION = "openslo/v1"
_KINDS = ("DataSource", "SLO", "SLI", "AlertPolicy", "AlertCondition", "AlertNotificationTarget",
          "Service")  # fmt: skip
_SELECTED = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)?\s*(\{.*\})?\s*", re.DOTALL)
_TOOK = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(ms|s)")
_UNITS, _LONGEST_S = {"ms": 1e-3, "s": 1.0}, 3600.0
T = TypeVar("T")


@dataclass(slots=True)
class _File:
    """The documents of a file by kind and name."""

    known: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    short: list[doc.Shorthand] = field(default_factory=list)

    def spec(self, kind: str, name: str, of: type[T], where: str) -> T:
        """What a reference names; it must be in the same file."""
        if (kind, name) not in self.known:
            raise InputError(f"there is no {kind} {name!r} in this file", field=where)
        return _converted(self.known[kind, name], of, f"{kind} {name}: spec")


def parse_objectives(text: str, *, origin: str) -> tuple[Objective, ...]:
    """Every objective of a YAML text, in order; `ConfigError` names `origin` and the field."""
    try:
        file = _sorted(_documents(text))
        found = tuple(_objectives(file))
        _once(found)
    except InputError as error:
        raise ConfigError(f"{origin}: {error.field}: {error}") from None
    if not found:
        raise ConfigError(f"{origin}: there is no objective in it")
    return found


def load_objectives(places: Sequence[Path]) -> tuple[Objective, ...]:
    """Those of files, and of files in folders; `ConfigError` names what is wrong where."""
    return tuple(
        one for origin, text in texts_of(places) for one in parse_objectives(text, origin=origin)
    )


def _documents(text: str) -> list[Any]:
    if len(text.encode("utf-8", "replace")) > _BYTES:
        raise InputError(f"is over {_BYTES:,} bytes", field="file")
    try:
        _bounded(text)
        trees = [tree for tree in yaml.load_all(text, Loader=_LOADER) if tree is not None]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"is not YAML: {error}", field="file") from None
    whole = [one for tree in trees for one in (tree if isinstance(tree, list) else [tree])]
    if len(whole) > _MANY:
        raise InputError(f"has over {_MANY} documents", field="file")
    return whole


def _bounded(text: str) -> None:
    """An alias can stand for a tree of any size, so there are none."""
    deep = 0
    for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        deep += isinstance(event, yaml.CollectionStartEvent)
        deep -= isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise InputError("aliases (*name) are not read; write it out", field="file")
        if deep > _DEEP or count > _PARTS:
            raise InputError(f"is nested over {_DEEP} deep or too large", field="file")


def _sorted(trees: Sequence[Any]) -> _File:
    file = _File()
    for at, tree in enumerate(trees):
        if isinstance(tree, dict) and "apiVersion" not in tree and "signal" in tree:
            file.short.append(_converted(tree, doc.Shorthand, f"document {at + 1}"))
            continue
        if isinstance(tree, dict) and "apiVersion" not in tree and "availability" in tree:
            file.short.append(_spelled(_converted(tree, doc.Available, f"document {at + 1}")))
            continue
        if isinstance(tree, dict) and "apiVersion" not in tree and "latency" in tree:
            file.short.append(_quickly(_converted(tree, doc.Fast, f"document {at + 1}")))
            continue
        whole = _converted(tree, doc.Whole, f"document {at + 1}")
        if whole.apiVersion != _VERSION:
            raise InputError(f"{whole.apiVersion!r} is not {_VERSION}", field="apiVersion")
        if whole.kind not in _KINDS:
            raise InputError(f"{whole.kind!r} is none of {', '.join(_KINDS)}", field="kind")
        key = (whole.kind, whole.metadata.name)
        if key in file.known:
            raise InputError(f"{key[0]} {key[1]!r} is there twice", field="metadata.name")
        file.known[key] = whole.spec
    return file


def _spelled(told: doc.Available) -> doc.Shorthand:
    """What availability is short for."""
    return doc.Shorthand(
        signal="error_rate",
        service=told.service,
        target=told.availability,
        window=told.window,
        name=told.name or f"{told.service}-availability".lower(),
        namespace=told.namespace,
    )


def _quickly(told: doc.Fast) -> doc.Shorthand:
    """What a latency is short for."""
    return doc.Shorthand(
        signal="latency",
        service=told.service,
        target=told.latency.objective,
        window=told.window,
        name=told.name or f"{told.service}-latency".lower(),
        namespace=told.namespace,
        below=told.latency.below,
    )


def _converted(tree: Any, of: type[T], where: str) -> T:  # noqa: ANN401 - what YAML has
    try:
        return msgspec.convert(tree, of)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        place = path.strip("`.")
        raise InputError(what, field=f"{where}.{place}" if place else where) from None


def _objectives(file: _File) -> Iterator[Objective]:
    for kind, name in file.known:
        if kind == "SLO":
            yield from _of_slo(file, name)
    for short in file.short:
        yield _of_short(short)


def _once(found: Sequence[Objective]) -> None:
    seen: set[str] = set()
    for one in found:
        if one.name in seen:
            raise InputError(f"two objectives are called {one.name!r}", field="name")
        seen.add(one.name)


def _of_short(short: doc.Shorthand) -> Objective:
    name = short.name or f"{short.service}-{short.signal}".lower().replace("_", "-")
    return Objective(
        name=_named(name, "name"),
        service=short.service,
        target=_percent(short.target, "target"),
        window=_rolling(short.window, "window"),
        indicator=OfSignal(
            signal=short.signal,
            namespace=short.namespace,
            below=None if short.below is None else _seconds(short.below, "below"),
        ),
    )


def _percent(told: float, where: str) -> float:
    """A share; who promises less than one per cent meant a share of 1."""
    if 0 < told < 1:
        raise InputError(
            f"{told:g} % is hardly meant: in per cent it is {100 * told:g}", field=where
        )
    return _share(told / 100, where)


def _seconds(told: float | str, where: str) -> float:
    """A number of seconds, or one with ms or s."""
    found = _TOOK.fullmatch(told) if isinstance(told, str) else None
    if isinstance(told, str) and found is None:
        raise InputError(f"{told!r}: seconds, or as in 300ms and 1.5s", field=where)
    took = float(told) if found is None else float(found[1]) * _UNITS[found[2]]
    if not (math.isfinite(took) and 0 < took <= _LONGEST_S):
        raise InputError(f"is above 0 and at most {_LONGEST_S:.0f} seconds", field=where)
    return took


def _of_slo(file: _File, name: str) -> Iterator[Objective]:
    where = f"SLO {name}: spec"
    spec = file.spec("SLO", name, doc.SloSpec, where)
    if spec.budgetingMethod != "Occurrences":
        raise InputError(
            f"{spec.budgetingMethod!r}: only Occurrences: requests count, not slices of time",
            field=f"{where}.budgetingMethod",
        )
    indicator = _counted(_sli(file, spec, where), f"{where}.indicator")
    window, conditions = _window(spec.timeWindow, where), tuple(_conditions(file, spec, where))
    if not spec.objectives:
        raise InputError("names no target", field=f"{where}.objectives")
    for at, one in enumerate(spec.objectives):
        yield Objective(
            name=_named(name if len(spec.objectives) == 1 else f"{name}.{at + 1}", where),
            service=spec.service,
            target=_target(one, f"{where}.objectives[{at}]"),
            window=window,
            indicator=indicator,
            conditions=conditions,
        )


def _named(name: str, where: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise InputError(f"{name!r}: small letters, digits, - and . only", field=where)
    return name


def _share(target: float, where: str) -> float:
    if not (math.isfinite(target) and 0 <= target < 1):
        raise InputError("the target is at least 0 and below 1 (100 %)", field=where)
    return target


def _target(one: doc.ObjectiveSpec, where: str) -> float:
    for name in ("op", "value", "timeSliceTarget", "timeSliceWindow"):
        if getattr(one, name) not in (None, ""):
            raise InputError("has no meaning where requests are counted", field=f"{where}.{name}")
    if (one.target is None) == (one.targetPercent is None):
        raise InputError("give one of target and targetPercent", field=where)
    if one.target is not None:
        return _share(one.target, f"{where}.target")
    return _share((one.targetPercent or 0.0) / 100, f"{where}.targetPercent")


def _sli(file: _File, spec: doc.SloSpec, where: str) -> doc.SliSpec:
    if (spec.indicator is None) == (not spec.indicatorRef):
        raise InputError("give one of indicator and indicatorRef", field=where)
    if spec.indicator is not None:
        return spec.indicator.spec
    return file.spec("SLI", spec.indicatorRef, doc.SliSpec, f"{where}.indicatorRef")


def _counted(sli: doc.SliSpec, where: str) -> Counted:
    ratio = sli.ratioMetric
    if sli.thresholdMetric is not None or ratio is None:
        raise InputError(
            "a threshold of a gauge counts no requests: use ratioMetric, or the shorthand with a"
            " signal",
            field=f"{where}.thresholdMetric",
        )
    if ratio.raw is not None or ratio.rawType:
        raise InputError(
            "a ratio cannot be summed: give good or bad, and total", field=f"{where}.raw"
        )
    if ratio.counter is not True:
        raise InputError("only counters can be summed: counter: true", field=f"{where}.counter")
    part = ratio.good or ratio.bad
    if part is None or ratio.total is None or (ratio.good and ratio.bad):
        raise InputError("give total, and one of good and bad", field=f"{where}.ratioMetric")
    name = "good" if ratio.good else "bad"
    return Counted(
        total=_query(ratio.total.metricSource, f"{where}.total"),
        part=_query(part.metricSource, f"{where}.{name}"),
        part_is_good=ratio.good is not None,
    )


def _query(source: Any, where: str) -> Query:  # noqa: ANN401 - the decoded metricSource
    if source.type.lower() not in ("", "prometheus"):
        raise InputError(f"{source.type!r} is not Prometheus", field=f"{where}.metricSource.type")
    where = f"{where}.metricSource.spec"
    unknown = [key for key in source.spec if key != "query"]
    text = source.spec.get("query")
    if unknown or not isinstance(text, str):
        raise InputError(f"has query and nothing else, not {unknown}", field=where)
    found = _SELECTED.fullmatch(text)
    if found is None or not (found[1] or found[2]):
        raise InputError(
            'is to select counters, as in requests_total{code!~"5.."}: serinus sums what they grew,'
            " and a sum of counters hides which of them began anew",
            field=f"{where}.query",
        )
    return _selected(found[1] or "", found[2] or "", f"{where}.query")


def _selected(metric: str, braces: str, where: str) -> Query:
    matchers = parse_selector(braces, field=where) if braces.strip("{} \n\t") else ()
    names = [m for m in matchers if m.label == "__name__"]
    if names and (metric or len(names) > 1 or names[0].op is not MatchOp.EQUAL):
        raise InputError("names one metric, once", field=where)
    rest = tuple(m for m in matchers if m.label != "__name__")
    metric = metric or (names[0].value if names else "")
    if not metric:
        raise InputError("names no metric", field=where)
    return Query(metric, rest)


def _window(windows: Sequence[doc.TimeWindow], where: str) -> Rolling | Calendar:
    where = f"{where}.timeWindow"
    if len(windows) != 1:
        raise InputError("has exactly one window", field=where)
    one = windows[0]
    if one.calendar is None and one.isRolling:
        return _rolling(one.duration, f"{where}.duration")
    if one.calendar is None or one.isRolling:
        raise InputError("is either isRolling: true or has a calendar", field=where)
    return Calendar(
        duration=parse_duration(one.duration, field=f"{where}.duration"),
        start=_start(one.calendar.startTime, f"{where}.calendar.startTime"),
        zone=_zone(one.calendar.timeZone, f"{where}.calendar.timeZone"),
    )


def _rolling(text: str, where: str) -> Rolling:
    duration = parse_duration(text, field=where)
    if not duration.seconds:
        raise InputError(f"{text!r}: months differ in length; roll over days or weeks", field=where)
    return Rolling(seconds=duration.seconds, text=text)


def _start(start: datetime, where: str) -> datetime:
    if start.tzinfo is not None:
        raise InputError("is a local time: its zone is timeZone", field=where)
    return start


def _zone(name: str, where: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"{name!r} is no time zone of IANA", field=where) from None


def _conditions(file: _File, spec: doc.SloSpec, where: str) -> Iterator[BurnCondition]:
    for at, entry in enumerate(spec.alertPolicies):
        place = f"{where}.alertPolicies[{at}]"
        if (entry.spec is None) == (not entry.alertPolicyRef):
            raise InputError("give one of alertPolicyRef and spec", field=place)
        policy = entry.spec or file.spec(
            "AlertPolicy", entry.alertPolicyRef, doc.AlertPolicySpec, place
        )
        if policy.alertWhenNoData:
            raise InputError("silence is unknown, not a burn", field=f"{place}.alertWhenNoData")
        for one in policy.conditions if policy.alertWhenBreaching else ():
            yield _condition(file, one, f"{place}.conditions")


def _condition(file: _File, entry: doc.ConditionEntry, where: str) -> BurnCondition:
    if (entry.spec is None) == (not entry.conditionRef):
        raise InputError("give one of conditionRef and spec", field=where)
    spec = entry.spec or file.spec(
        "AlertCondition", entry.conditionRef, doc.AlertConditionSpec, where
    )
    told, name = spec.condition, entry.conditionRef or (entry.metadata and entry.metadata.name)
    if told.kind.lower() != "burnrate" or told.op not in ("gt", "gte"):
        raise InputError("is a burnrate with op gt or gte", field=f"{where}.condition")
    if not (math.isfinite(told.threshold) and told.threshold > 0):
        raise InputError("is above 0", field=f"{where}.condition.threshold")
    after = told.alertAfter and parse_duration(told.alertAfter, field=f"{where}.alertAfter")
    return BurnCondition(
        name=name or "burn",
        severity=spec.severity,
        threshold=told.threshold,
        lookback_s=_rolling(told.lookbackWindow, f"{where}.lookbackWindow").seconds,
        after_s=after.seconds if after else 0.0,
        inclusive=told.op == "gte",
    )
