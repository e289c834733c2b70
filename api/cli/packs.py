"""`serinus pack test`: a pack of one's own, checked and bound on a Prometheus."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.guard import Code
from detector.errors import ConfigError

if TYPE_CHECKING:
    from detector.capacity.packs import CapacityPack
    from detector.discovery.bindings import Binding
    from pipelines.flows.packtest import MetricThere, PackTest, Sample, Tried

__all__ = ["body_of", "code_of", "text_of", "try_file"]

_SERVICES_SHOWN = 8


def try_file(
    file: Path,
    *,
    service: str | None,
    prometheus: str | None,
    config: Path | None,
    as_json: bool,
) -> int:
    """Print what became of the pack; its exit code. `ConfigError` where the file is no pack."""
    from api.cli.discovering import with_services
    from pipelines.capacity.packs import read_capacity_pack
    from pipelines.flows.packtest import try_pack
    from pipelines.packs import read_pack

    capacity = read_capacity_pack(file)
    if capacity is not None:
        return _try_capacity(capacity, file, service, prometheus, config, as_json=as_json)
    pack = read_pack(file)
    with with_services(prometheus, config) as (services, _):
        found = try_pack(pack, services, service=service)
    print(json.dumps(body_of(found), indent=2) if as_json else text_of(found, str(file)))
    return code_of(found)


def _try_capacity(
    pack: CapacityPack,
    file: Path,
    service: str | None,
    prometheus: str | None,
    config: Path | None,
    *,
    as_json: bool,
) -> int:
    from api.cli.discovering import with_services
    from api.cli.packs_capacity import (
        capacity_body,
        capacity_code,
        capacity_text,
        try_capacity_pack,
    )

    if service is not None:
        raise ConfigError("--service: a capacity pack binds resources of all services")
    with with_services(prometheus, config) as (services, settings):
        found = try_capacity_pack(pack, services.catalog, settings)
    code = capacity_code(found)
    if as_json:
        told = {"pack": pack.name, "code": int(code), "metrics": _metrics_body(found.metrics)}
        print(json.dumps({**told, **capacity_body(found)}, indent=2))
        return code
    print(f"{file}: {pack.name} ({pack.title}) is a capacity pack.", "", "Metrics", sep="\n")
    print("\n".join([*_metrics(found.metrics), *capacity_text(found)]))
    return code


def code_of(found: PackTest) -> Code:
    """0 bound, 1 not all of it, 3 nothing there that could be."""
    if not found.is_there:
        return Code.INCONCLUSIVE
    return Code.PASS if found.is_bound else Code.FAIL


def text_of(found: PackTest, file: str) -> str:
    """For people: metrics, services, and each signal with its query and a sample."""
    pack = found.pack
    lines = [
        f"{file}: {pack.name} ({pack.title}) is a pack; a series of it stands for a {pack.unit}."
    ]
    lines += ["", "Metrics", *_metrics(found.metrics), "", *_services(found)]
    for tried in found.tried:
        lines += ["", *_tried(tried)]
    return "\n".join([*lines, "", _conclusion(found)])


def _metrics(metrics: Sequence[MetricThere]) -> Iterator[str]:
    width = max(len(one.metric) for one in metrics)
    for one in metrics:
        near = f"; nearest: {', '.join(one.nearest)}" if one.nearest else ""
        told = "there" if one.there else f"not there ({one.key}){near}"
        yield f"  {one.metric.ljust(width)}  {told}"


def _services(found: PackTest) -> Iterator[str]:
    if not found.services:
        yield "No service has its requests."
        return
    shown = ", ".join(found.services[:_SERVICES_SHOWN])
    more = len(found.services) - _SERVICES_SHOWN
    yield f"Services: {shown}" + (f" and {more} more" if more > 0 else "")


def _tried(tried: Tried) -> Iterator[str]:
    yield tried.service
    for one in tried.bindings:
        yield from _binding(one, tried.samples.get(one.name))
    for lost in tried.missing:
        yield f"  {lost.name}: not bound: {lost.why}"
    if not tried.bindings and not tried.missing:
        yield "  nothing of it is bound"
    yield from (f"  note: {note}" for note in tried.notes)


def _binding(one: Binding, sample: Sample | None) -> Iterator[str]:
    yield f"  {one.name}: bound; {one.confidence}"
    yield f"    query   {one.expression}"
    yield f"    sample  {'none lately' if sample is None else _sample(sample)}"
    yield from (f"    doubt   {doubt}" for doubt in one.doubts)


def _sample(sample: Sample) -> str:
    from detector.discovery.matching import equal
    from detector.selector import format_query
    from detector.series import Query

    metric = sample.labels.get("__name__", "")
    own = [equal(k, v) for k, v in sorted(sample.labels.items()) if k != "__name__"]
    when = datetime.fromtimestamp(sample.time, UTC).strftime("%H:%M:%SZ")
    return f"{format_query(Query(metric, tuple(own)))} = {sample.value:g} at {when}"


def _conclusion(found: PackTest) -> str:
    match code_of(found):
        case Code.PASS:
            return "All that the pack knows is bound. Give it to serinus by packs: or --packs."
        case Code.INCONCLUSIVE:
            return "None of its metrics is in this source: nothing was shown either way."
    if not found.tried:
        return (
            "Its metrics are there, but no series names a service: see the keys services and"
            " spelled, or name one by --service."
        )
    return "Not all that the pack knows is bound; the lines above say why."


def body_of(found: PackTest) -> Mapping[str, Any]:
    """The same for programs."""
    return {
        "pack": found.pack.name,
        "code": int(code_of(found)),
        "metrics": _metrics_body(found.metrics),
        "services": list(found.services),
        "tried": [_tried_body(one) for one in found.tried],
    }


def _metrics_body(metrics: Sequence[MetricThere]) -> list[Mapping[str, Any]]:
    return [
        {"metric": m.metric, "key": m.key, "there": m.there, "nearest": list(m.nearest)}
        for m in metrics
    ]


def _tried_body(tried: Tried) -> Mapping[str, Any]:
    return {
        "service": tried.service,
        "bound": [
            {
                "name": one.name,
                "expression": one.expression,
                "queries": list(one.queries),
                "confidence": one.confidence.value,
                "doubts": list(one.doubts),
                "sample": _sample_body(tried.samples.get(one.name)),
            }
            for one in tried.bindings
        ],
        "missing": [{"name": one.name, "why": one.why} for one in tried.missing],
        "notes": list(tried.notes),
    }


def _sample_body(sample: Sample | None) -> Mapping[str, Any] | None:
    if sample is None:
        return None
    return {"labels": dict(sample.labels), "time": sample.time, "value": sample.value}
