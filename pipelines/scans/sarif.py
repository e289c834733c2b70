"""SARIF 2.1.0: each run is a scan; severities by the scheme of GitHub's code scanning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from detector.scans.scan import Finding, Severity
from pipelines.scans.found import Found

__all__ = ["SarifLog", "found_by_sarif"]

_Level = Literal["none", "note", "warning", "error"]
# `security-severity` from so many on, of 10.
_SCORES = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM),
           (0.1, Severity.LOW))  # fmt: skip
_LEVELS = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "note": Severity.LOW}
_SCORE_MAX = 10.0


class _Struct(msgspec.Struct, rename="camel"):
    """A part of the log."""


class _Text(_Struct):
    text: str = ""


class _Bag(msgspec.Struct, rename={"score": "security-severity"}):
    score: str | float | None = None


class _Configuration(_Struct):
    level: _Level = "warning"


class _Rule(_Struct):
    id: str
    name: str = ""
    short_description: _Text = msgspec.field(default_factory=_Text)
    default_configuration: _Configuration = msgspec.field(default_factory=_Configuration)
    properties: _Bag = msgspec.field(default_factory=_Bag)


class _Component(_Struct):
    name: str
    rules: list[_Rule] = []


class _Tool(_Struct):
    driver: _Component
    extensions: list[_Component] = []


class _ComponentReference(_Struct):
    index: int = -1


class _RuleReference(_Struct):
    id: str = ""
    index: int = -1
    tool_component: _ComponentReference = msgspec.field(default_factory=_ComponentReference)


class _Artifact(_Struct):
    uri: str = ""


class _Region(_Struct):
    """Without `snippet`, which has lines of the file."""

    start_line: int = 0


class _Physical(_Struct):
    artifact_location: _Artifact = msgspec.field(default_factory=_Artifact)
    region: _Region = msgspec.field(default_factory=_Region)


class _Location(_Struct):
    physical_location: _Physical = msgspec.field(default_factory=_Physical)


class _Suppression(_Struct):
    status: str = "accepted"


class _Result(_Struct):
    """Without `message`, in which some tools quote what they found."""

    rule_id: str = ""
    rule_index: int = -1
    rule: _RuleReference = msgspec.field(default_factory=_RuleReference)
    kind: str = "fail"
    level: _Level | None = None
    locations: list[_Location] = []
    suppressions: list[_Suppression] | None = None
    baseline_state: str = ""


class _Invocation(_Struct):
    end_time_utc: str = ""


class _Run(_Struct):
    tool: _Tool
    results: list[_Result] | None = None
    invocations: list[_Invocation] = []


class SarifLog(_Struct):
    """Version 2.1.0."""

    version: Literal["2.1.0"]
    runs: list[_Run]


def found_by_sarif(log: SarifLog) -> Iterator[Found]:
    """What each run found."""
    for run in log.runs:
        made = max((one.end_time_utc for one in run.invocations), default="")
        findings = [_finding(run.tool, result) for result in run.results or () if _counts(result)]
        told = tuple(one for one in findings if one is not None)
        yield Found(tool=run.tool.driver.name, target="", made=made, findings=told)


def _counts(result: _Result) -> bool:
    """Neither suppressed by a person, nor gone since the baseline, nor no failure at all."""
    suppressed = any(one.status == "accepted" for one in result.suppressions or ())
    return result.kind == "fail" and result.baseline_state != "absent" and not suppressed


def _finding(tool: _Tool, result: _Result) -> Finding | None:
    rule = _rule(tool, result)
    severity = _severity(rule, result.level)
    if severity is None:
        return None
    id = result.rule_id or result.rule.id or (rule.id if rule else "")
    return Finding(
        severity=severity,
        rule=id or "without a rule",
        title="" if rule is None else rule.short_description.text or rule.name,
        location=_location(result),
    )


def _rule(tool: _Tool, result: _Result) -> _Rule | None:
    """By its place, else by its id; a sub-rule `CA1000/1` is described by `CA1000`."""
    component = tool.driver
    if 0 <= result.rule.tool_component.index < len(tool.extensions):
        component = tool.extensions[result.rule.tool_component.index]
    place = result.rule.index if result.rule_index < 0 else result.rule_index
    if 0 <= place < len(component.rules):
        return component.rules[place]
    return _named(component.rules, result.rule_id or result.rule.id)


def _named(rules: Sequence[_Rule], id: str) -> _Rule | None:
    wanted = {id, id.rpartition("/")[0]} - {""}
    return next((rule for rule in rules if rule.id in wanted), None)


def _severity(rule: _Rule | None, level: _Level | None) -> Severity | None:
    """By the score of the rule, else by the level; None where it is of none."""
    told = level or ("warning" if rule is None else rule.default_configuration.level)
    if told == "none":
        return None
    score = None if rule is None else _score(rule.properties.score)
    if score is None:
        return _LEVELS[told]
    return next((severity for least, severity in _SCORES if score >= least), _LEVELS[told])


def _score(said: str | float | None) -> float | None:
    try:
        score = float(said or 0.0)
    except ValueError:
        return None
    return score if 0.0 < score <= _SCORE_MAX else None


def _location(result: _Result) -> str:
    if not result.locations:
        return ""
    place = result.locations[0].physical_location
    line = place.region.start_line
    return f"{place.artifact_location.uri}:{line}" if line > 0 else place.artifact_location.uri
