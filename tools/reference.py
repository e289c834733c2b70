"""Pages of the documentation that are made of the code: the policy's keys, and the packs.

`python tools/reference.py` writes them below docs/reference/; a test holds what is there true.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import get_args, get_origin

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo

from api.bodies.loose import Range
from api.bodies.policy import PolicyBody, SignalPolicyBody
from detector.gate.policy import Policy, SignalPolicy
from detector.signals.packs import Pack, shipped_packs
from detector.signals.signal import Unit

__all__ = ["pages"]

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
_MADE = "<!-- made by `make reference` from the code; do not edit -->"
_UNITS = {
    Unit.POD: "each pod",
    Unit.WORKLOAD: "a workload",
    Unit.PROXY: "a proxy",
}


def pages() -> Mapping[str, str]:
    """Text of each page by file name."""
    return {"policy.md": _policy_page(), "packs.md": _packs_page()}


def _policy_page() -> str:
    return "\n".join(
        [
            _MADE,
            "",
            "# Policy reference",
            "",
            "Every key of a policy, as the types have it.",
            "[Policies](../policies.md) tells what to set, and when.",
            "",
            *_keys(PolicyBody, Policy()),
            "",
            "## Of a signal, below `signals.<name>`",
            "",
            "What is absent keeps the value of the signal's pack, or the engine's.",
            "",
            *_keys(SignalPolicyBody, SignalPolicy()),
            "",
        ]
    )


def _keys(body: type[BaseModel], native: object) -> Iterator[str]:
    yield "| Key | Type | Default | Means |"
    yield "|---|---|---|---|"
    for name, field in body.model_fields.items():
        default = _told(getattr(native, name))
        yield f"| `{name}` | {_type(field)} | {default} | {field.description} |"


def _type(field: FieldInfo) -> str:
    """The type in words, with its bounds or its choices."""
    if _mapping(field.annotation):
        return "by name"
    body = next((k for k in _kinds(field.annotation) if issubclass(k, BaseModel)), None)
    if body is not None:
        return _BODIES.get(body.__name__, "[expression](../policies.md)")
    choices = next((kind for kind in _kinds(field.annotation) if issubclass(kind, Enum)), None)
    if choices is not None:
        return ", ".join(f"`{choice.value}`" for choice in choices)
    kind = next(_WORDS[kind] for kind in _kinds(field.annotation) if kind in _WORDS)
    checks = (m.func for m in field.metadata if isinstance(m, AfterValidator))
    bounds = " ".join(check.words for check in checks if isinstance(check, Range))
    return f"{kind} {bounds}".rstrip()


def _mapping(annotation: object) -> bool:
    return any(get_origin(part) is dict for part in get_args(annotation))


# What has keys of its own, and where they are told.
_BODIES = {
    "BudgetPolicyBody": "[rule](../slo.md#in-the-gate)",
    "ScanRuleBody": "[rule](../scans.md#in-the-gate)",
    "CapacityRuleBody": "[rule](../capacity.md#in-the-gate)",
}
_WORDS: dict[type, str] = {float: "number", bool: "true or false", str: "text"}


def _kinds(annotation: object) -> Iterator[type]:
    """The plain types of an annotation, whatever it wraps."""
    if isinstance(annotation, type) and not get_args(annotation):
        yield annotation
        return
    for part in get_args(annotation):
        if isinstance(part, type | UnionType) or get_args(part):
            yield from _kinds(part)


def _told(value: object) -> str:
    match value:
        case None:
            return ""
        case Enum():
            return f"`{value.value}`"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case str():
            return f"`{value}`"
        case _:
            return ""


def _packs_page() -> str:
    packs = sorted(shipped_packs(), key=lambda pack: pack.title.lower())
    return "\n".join(
        [
            _MADE,
            "",
            "# Packs",
            "",
            "What serinus knows of the instrumentations that people run.",
            "[Signals](../signals.md) tells how a pack is read, and how to write one of your own;",
            "`serinus discover` shows which of them your services speak.",
            "",
            "| Pack | Series stand for | Requests | Durations | Besides |",
            "|---|---|---|---|---|",
            *(_pack_row(pack) for pack in packs),
            "",
        ]
    )


def _pack_row(pack: Pack) -> str:
    name = f"[{pack.title}]({pack.published}) `{pack.name}`"
    requests = _names(one.metric for one in pack.requests)
    durations = _names(one.metric for one in pack.durations)
    read_for = [one.role.value for one in pack.resources]
    besides = _names(read_for + [one.name for one in pack.signals])
    return f"| {name} | {_UNITS[pack.unit]} | {requests} | {durations} | {besides} |"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


def main() -> int:
    """Write the pages."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
