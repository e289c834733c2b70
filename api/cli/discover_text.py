"""Services, and what would be judged of one, as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["service_text", "services_text"]

SERVICES: tuple[str, ...] = (
    "service", "namespaces", "pods", "requests counted by", "versions split by",
)  # fmt: skip


def services_text(body: Mapping[str, Any]) -> str:
    """All services, one a line."""
    rows = [SERVICES, *(_service_row(one) for one in body["services"])]
    lines = [
        f"{_count(body['found'], 'service')} among {_count(body['metrics'], 'metric')}.",
        "",
        *(_aligned(rows) if len(rows) > 1 else ["No metric counts requests as a pack knows them."]),
        *_skipped(body["skipped"]),
        "",
        "Next: serinus discover --service NAME shows what would be judged of one.",
    ]
    return "\n".join(lines) + "\n"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _service_row(one: Mapping[str, Any]) -> tuple[str, ...]:
    split = one["split"]
    more = f" and {len(one['metrics']) - 1} more" if len(one["metrics"]) > 1 else ""
    return (
        one["service"],
        ", ".join(one["namespaces"]) or "-",
        str(one["pods"]) if one["pods"] else "-",
        f"{one['metrics'][0]}{more}",
        "-" if split is None else _split_words(split),
    )


def _split_words(split: Mapping[str, Any]) -> str:
    values = list(split["values"])
    shown = ", ".join(values[:2]) + (f", {len(values) - 2} more" if len(values) > 2 else "")
    return f"{split['label']} ({split['kind']}): {shown}"


def _skipped(skipped: Sequence[Mapping[str, str]]) -> Iterator[str]:
    if skipped:
        yield ""
        yield "Skipped:"
        yield from (f"  {one['what']}: {one['why']}" for one in skipped)


def service_text(body: Mapping[str, Any]) -> str:
    """One service with its signals."""
    lines = [body["service"], "", *_arms(body), "", *_splits(body["splits"])]
    for one in body["signals"]:
        lines += ["", *_signal(one)]
    if body["missing"]:
        lines += ["", "Not bound:"]
        lines += [f"  {one['name']}: {one['why']}" for one in body["missing"]]
    if body["notes"]:
        lines += ["", *(f"Note: {note}" for note in body["notes"])]
    if body["test"] is not None:
        lines += ["", f"Self-test over {body['test']['minutes']:g} minutes: {body['test']['text']}"]
    return "\n".join(lines) + "\n"


def _arms(body: Mapping[str, Any]) -> Iterator[str]:
    pods = body["pods"]
    if body["canary"] is None:
        yield "  nobody to compare: no rollout was told, and there are no two pods"
        return
    yield f"  canary   {body['canary']}  ({pods['canary']} pods)"
    control = body["control"] or "the rest of the service"
    yield f"  control  {control}  ({pods['control']} pods)"
    if body["arms"] is not None:
        yield f"  chosen:  {body['arms']}"


def _splits(splits: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not splits:
        yield "Versions are split by nothing that is known here; give --canary."
    else:
        yield "Versions are split by"
    for one in splits:
        values = ", ".join(f"{value} ({pods} pods)" for value, pods in one["values"].items())
        not_used = f"; not used: {one['against']}" if one["against"] else ""
        yield f"  {one['label']}, {one['kind']}: {values}{not_used}"


def _signal(one: Mapping[str, Any]) -> Iterator[str]:
    role = "required" if one["required"] else "judged" if one["judged"] else "shown only"
    yield f"{one['name']}  {role}; {one['unit']}, by {one['stands_for']}; {one['confidence']}"
    yield f"  {one['expression']}"
    yield f"  {_amount(one['amount'])}; pack {one['pack']}"
    yield from (f"  {one['confidence']}: {doubt}" for doubt in one["doubts"])


def _amount(amount: Mapping[str, Any]) -> str:
    parts = [f"{amount['series']} series of {amount['pods']} pods"]
    parts += [f"{amount['samples']:,} samples in {amount['seconds'] / 60:g} minutes"]
    if amount["interval_s"] is not None:
        parts.append(f"each {amount['interval_s']:g} s")
    if amount["per_second"] is not None:
        parts.append(f"{amount['per_second']:.3g}/s")
    if amount["bad_per_second"] is not None:
        parts.append(f"{amount['bad_per_second']:.2g}/s bad")
    return ", ".join(parts)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
