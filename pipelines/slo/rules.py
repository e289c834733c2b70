"""Recording and alerting rules for Prometheus, of objectives that name their counters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from detector.errors import InputError
from detector.selector import format_query
from detector.slo.burn import PAIRS, Burning, Pair
from detector.slo.objective import Counted, Objective

__all__ = ["rules_of"]

_SPANS = {300.0: "5m", 1800.0: "30m", 3600.0: "1h", 21_600.0: "6h", 259_200.0: "3d"}
_BAD, _TOTAL = "slo:bad:increase", "slo:total:increase"
# As ours has it: fewer bad events than this are not enough to wake anybody.
_FEWEST = 3


def rules_of(objectives: Sequence[Objective]) -> str:
    """A file of rules, one group an objective; `InputError` for one without counters of its own."""
    groups = [
        {"name": f"serinus-slo-{one.name}", "rules": [*_recording(one), *_alerting(one)]}
        for one in objectives
    ]
    text: str = yaml.safe_dump({"groups": groups}, sort_keys=False, width=100)
    return text


def _labels(one: Objective) -> dict[str, str]:
    return {"slo": one.name, "service": one.service}


def _recording(one: Objective) -> Iterator[dict[str, Any]]:
    counted = one.indicator
    if not isinstance(counted, Counted):
        raise InputError(
            f"{one.name}: its signal is bound by discovery; rules need the counters of an OpenSLO"
            " indicator",
            field="signal",
        )
    for span in _SPANS.values():
        total = f"sum(increase({format_query(counted.total)}[{span}]))"
        # Without a series of failures nothing failed, as long as anything was counted.
        part = f"(sum(increase({format_query(counted.part)}[{span}])) or 0 * {total})"
        bad = f"{total} - {part}" if counted.part_is_good else part
        yield {"record": f"{_TOTAL}{span}", "expr": total, "labels": _labels(one)}
        yield {"record": f"{_BAD}{span}", "expr": bad, "labels": _labels(one)}


def _alerting(one: Objective) -> Iterator[dict[str, Any]]:
    for pair in PAIRS:
        severity = "page" if pair.alert is Burning.PAGE else "ticket"
        yield {
            "alert": "SloBurn",
            "expr": _burns(one, pair),
            "labels": {**_labels(one), "severity": severity, "window": _SPANS[pair.long_s]},
            "annotations": {
                "summary": f"{one.service} burns the error budget of {one.name}"
                f" {pair.times:g} times too fast",
            },
        }


def _burns(one: Objective, pair: Pair) -> str:
    own = f'{{slo="{one.name}"}}'
    limit = f"{pair.times * one.budget:.10g}"
    spans = (_SPANS[pair.long_s], _SPANS[pair.short_s])
    parts = [f"{_BAD}{span}{own} > {limit} * {_TOTAL}{span}{own}" for span in spans]
    return " and ".join([*parts, f"{_BAD}{spans[0]}{own} >= {_FEWEST}"])
