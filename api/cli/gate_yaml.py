"""The YAML of a gate for one service: the shipped templates with its names and selectors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from string import Template

from detector.discovery.rehearsal import Rehearsal
from detector.discovery.splits import Split, SplitKind
from detector.errors import InputError

__all__ = ["Controller", "Gate", "gate_yaml"]

_HASHES = ("canary-hash", "stable-hash")
_ARGO_HASH = {"canary-hash": "Latest", "stable-hash": "Stable"}


class Controller(StrEnum):
    """Who asks."""

    ARGO = "argo"
    FLAGGER = "flagger"
    CI = "ci"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What the YAML speaks of. `split` tells versions apart, `rollout` is the workload's name."""

    service: str
    namespace: str
    rollout: str
    server: str
    split: Split | None
    arms: Rehearsal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arms:
    """Selectors with their holes, what fills the holes, and why so, in a line."""

    canary: str
    control: str
    holes: tuple[str, ...]
    told: str


def gate_yaml(controller: Controller, gate: Gate) -> str:
    """The YAML; `InputError` where nothing tells canary from control."""
    text = (
        files("api.cli").joinpath("gate_templates", f"{controller.value}.yaml").read_text("utf-8")
    )
    known = {
        "service": gate.service,
        "namespace": gate.namespace,
        "rollout": gate.rollout,
        "server": gate.server,
    }
    match controller:
        case Controller.ARGO:
            known |= _argo(gate)
        case Controller.CI:
            known |= _ci(gate)
        case Controller.FLAGGER:
            pass
    return Template(text).substitute(known)


def _argo(gate: Gate) -> dict[str, str]:
    arms = _arms(gate, "{{args.%s}}", "{{args.rollout}}")
    return {
        "told": arms.told,
        "arms": "".join(f"    - name: {hole}\n" for hole in arms.holes),
        "canary": _quoted(arms.canary),
        "control": _quoted(arms.control),
        "example": "".join(_example(hole) for hole in arms.holes),
    }


def _example(hole: str) -> str:
    """How a Rollout's step gives an argument; Argo knows the hashes itself."""
    if hole in _ARGO_HASH:
        source = f"podTemplateHashValue: {_ARGO_HASH[hole]}"
        return f"#         - name: {hole}\n#           valueFrom:\n#             {source}\n"
    return f"#         - name: {hole}\n#           value: ...\n"


def _ci(gate: Gate) -> dict[str, str]:
    arms = _arms(gate, "${%s}", gate.rollout)
    names = {hole: hole.upper().replace("-", "_") for hole in arms.holes}
    selectors = [arms.canary, arms.control]
    for hole, name in names.items():
        selectors = [text.replace(f"${{{hole}}}", f"${{{name}}}") for text in selectors]
    return {
        "told": arms.told,
        "environment": "".join(f"    {name}: ...\n" for name in names.values()),
        "canary": _shell(selectors[0]),
        "control": _shell(selectors[1]),
    }


def _arms(gate: Gate, hole: str, rollout: str) -> _Arms:
    """Selectors by what splits the versions of the service."""
    split = gate.split
    if split is None:
        raise InputError(
            f"nothing that is known here tells the versions of {gate.service} apart: bring the"
            " pods' names, a version label or a track to its series (docs/discover.md)",
            field="service",
        )
    match split.kind:
        case SplitKind.NAME:
            spelled = [f'{{{split.label}=~"{rollout}-{hole % name}-.+"}}' for name in _HASHES]
            told = "The pod-template hashes are in the pods' names."
            return _Arms(canary=spelled[0], control=spelled[1], holes=_HASHES, told=told)
        case SplitKind.HASH:
            spelled = [f'{{{split.label}="{hole % name}"}}' for name in _HASHES]
            told = f"The pod-template hashes are in the label {split.label}."
            return _Arms(canary=spelled[0], control=spelled[1], holes=_HASHES, told=told)
        case SplitKind.VERSION:
            holes = ("canary-version", "stable-version")
            spelled = [f'{{{split.label}="{hole % name}"}}' for name in holes]
            told = f"The versions are in the label {split.label}."
            return _Arms(canary=spelled[0], control=spelled[1], holes=holes, told=told)
        case SplitKind.TRACK | SplitKind.WORKLOAD:
            return _fixed(gate, split)


def _fixed(gate: Gate, split: Split) -> _Arms:
    """Values that stay from rollout to rollout; both have to be there to be told."""
    if gate.arms is None or gate.arms.is_placebo:
        raise InputError(
            f"the label {split.label} splits the versions of {gate.service}, and only"
            f" {', '.join(split.values)} is there now: ask again during a rollout",
            field="service",
        )
    told = f"The versions are in the label {split.label}, under the same values in each rollout."
    return _Arms(canary=gate.arms.canary, control=gate.arms.control, holes=(), told=told)


def _quoted(text: str) -> str:
    """A YAML string."""
    return "'" + text.replace("'", "''") + "'"


def _shell(text: str) -> str:
    """A word of a shell in which variables are filled in."""
    return json.dumps(text)
