"""Figures for Plotly as plain values; colours are names that the page's script looks up."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from api.ui.story import Moment
from api.ui.wording import title
from detector.gate.curve import TRAFFIC, Curve
from detector.gate.verdict import Outcome, SignalVerdict, Verdict
from detector.series import FloatArray

__all__ = ["Figure", "curve_figure", "evidence_figure", "figure_title", "marks"]

Figure: TypeAlias = dict[str, Any]
_FORMATS = {"ratio": ".2~%", "seconds": ".3~s", "bytes": ".4~s"}
_SUFFIXES = {"seconds": "s", "bytes": "B"}
_TITLES = {TRAFFIC: "Traffic"}
_COLOURS = {Outcome.FAIL: "@fail", Outcome.PASS: "@pass", Outcome.INCONCLUSIVE: "@wait"}
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
# Beyond this a line says no more than that it is enough.
_ENOUGH = 150.0
# After this part of a chart the words of a mark stand before it, where there is room.
_LATE = 0.88


def figure_title(curve: Curve) -> str:
    """What is drawn."""
    return f"{_TITLES.get(curve.signal) or title(curve.signal)}: {curve.measure}"


def curve_figure(curve: Curve, signal: SignalVerdict | None, marked: Sequence[Figure]) -> Figure:
    """Canary over control, with the marks; since when it is worse is shaded."""
    times = _times(curve.times)
    layout = _layout(curve.unit, marked)
    if signal is not None and signal.outcome is Outcome.FAIL and signal.since is not None:
        layout["shapes"] = [*layout["shapes"], _worse(signal.since, float(curve.times[-1]))]
    return {
        "id": curve.signal,
        "data": [
            _line("control", "Control", times, curve.control, dash="4px,3px", width=1.8),
            _line("canary", "Canary", times, curve.canary, dash="solid", width=2.4),
        ],
        "layout": layout,
    }


def _line(
    colour: str, name: str, times: list[str], values: FloatArray, *, dash: str, width: float
) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": times,
        "y": [float(f"{v:.5g}") if math.isfinite(v) else None for v in values.tolist()],
        "line": {"color": f"@{colour}", "width": width, "dash": dash},
        "connectgaps": False,
    }


def _layout(unit: str, marked: Sequence[Figure]) -> Figure:
    return {
        "height": 260,
        "margin": {"l": 56, "r": 16, "t": 40, "b": 60},
        "hovermode": "x unified",
        "dragmode": False,
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": -0.28, "yanchor": "top"},
        "xaxis": {"type": "date", "gridcolor": "@grid", "linecolor": "@grid", "fixedrange": True},
        "yaxis": {
            "rangemode": "tozero",
            "gridcolor": "@grid",
            "zerolinecolor": "@grid",
            "fixedrange": True,
            "tickformat": _FORMATS.get(unit, ",.4~r"),
            "ticksuffix": _SUFFIXES.get(unit, ""),
            "nticks": 5,
        },
        "shapes": [mark["shape"] for mark in marked],
        "annotations": [mark["annotation"] for mark in marked],
    }


def _worse(since: datetime, until: float) -> Figure:
    return {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "x0": _time(since.timestamp()),
        "x1": _time(until),
        "y0": 0,
        "y1": 1,
        "fillcolor": "@fail",
        "opacity": 0.08,
        "line": {"width": 0},
        "layer": "below",
    }


def marks(moments: Sequence[Moment], *, begin: float, end: float) -> list[Figure]:
    """Lines at weight steps and at decisions that changed, within the span."""
    inside = sorted((m for m in moments if begin <= m.at <= end), key=lambda m: m.at)
    late = begin + _LATE * (end - begin)
    return [_mark(m, colour, word, is_late=m.at > late) for m, colour, word in _marked(inside)]


def _marked(moments: Sequence[Moment]) -> Iterator[tuple[Moment, str, str]]:
    """Moments to be drawn; an outcome only where it is another than before."""
    outcome: Outcome | None = Outcome.INCONCLUSIVE
    for moment in moments:
        if moment.kind == "weight":
            yield moment, "@muted", moment.head.removeprefix("canary weight ")
        elif moment.kind in ("decision", "override") and moment.outcome is not outcome:
            outcome = moment.outcome
            if outcome is not None:
                yield moment, _COLOURS[outcome], _word(moment, outcome)


def _word(moment: Moment, outcome: Outcome) -> str:
    """A sign where it may come often; words for what ends a rollout."""
    if moment.kind == "override":
        return f"{moment.icon} override"
    return f"{moment.icon} fail" if outcome is Outcome.FAIL else moment.icon


def _mark(moment: Moment, colour: str, word: str, *, is_late: bool) -> Figure:
    at, is_weight = _time(moment.at), moment.kind == "weight"
    line = {"color": colour, "width": 1 if is_weight else 2, "dash": "dot"}
    shape = {"type": "line", "xref": "x", "yref": "paper", "x0": at, "x1": at, "y0": 0, "y1": 1}
    annotation = {
        "x": at,
        "y": 1.0 if is_weight else 1.1,
        "xref": "x",
        "yref": "paper",
        "yanchor": "bottom",
        "xanchor": "right" if is_late else "left",
        "text": word,
        "showarrow": False,
        "font": {"size": 11 if is_weight else 13, "color": colour},
    }
    return {"shape": {**shape, "line": line}, "annotation": annotation}


def evidence_figure(verdicts: Sequence[Verdict], marked: Sequence[Figure]) -> Figure | None:
    """Evidence of harm per judged signal, per cent of what a fail needs; verdicts newest first."""
    times = [_time(v.as_of.timestamp()) for v in reversed(verdicts)]
    names = dict.fromkeys(s.name for v in verdicts for s in v.signals if s.judged and s.needed)
    if not names or len(times) < 2:
        return None
    lines = [
        _progress(name, _DASHES[at % len(_DASHES)], f"@line{at % 5}", times, verdicts)
        for at, name in enumerate(names)
    ]
    layout = _layout("", marked)
    layout["yaxis"] |= {"tickformat": ".0f", "ticksuffix": " %", "range": [0, _ENOUGH]}
    enough = {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": 100, "y1": 100}
    layout["shapes"] = [*layout["shapes"], {**enough, "line": {"color": "@fail", "width": 2}}]
    return {"id": "evidence", "data": lines, "layout": layout}


def _progress(
    name: str, dash: str, colour: str, times: list[str], verdicts: Sequence[Verdict]
) -> Figure:
    values = []
    for verdict in reversed(verdicts):
        signal = next((s for s in verdict.signals if s.name == name), None)
        values.append(None if signal is None else _percent(signal.evidence, signal.needed))
    return {
        "type": "scatter",
        "mode": "lines",
        "name": title(name),
        "x": times,
        "y": values,
        "line": {"color": colour, "width": 2, "dash": dash, "shape": "hv"},
        "connectgaps": False,
    }


def _percent(evidence: float | None, needed: float | None) -> float | None:
    """Of the way to a fail, on the scale on which evidence adds up."""
    if evidence is None or needed is None or needed <= 1:
        return None
    log = math.log(min(max(evidence, 1.0), 1e300))
    return round(min(_ENOUGH, 100 * log / math.log(needed)), 1)


def _times(times: FloatArray) -> list[str]:
    return [_time(at) for at in times.tolist()]


def _time(at: float) -> str:
    """Plotly takes a time without a zone as it is: UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
