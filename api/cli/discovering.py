"""`serinus discover`: which services there are, or what would be judged of one of them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.guard import Code, stop
from detector.errors import ConfigError

if TYPE_CHECKING:
    from api.settings import Settings
    from pipelines.flows.services import Services

__all__ = ["Looking", "discover", "service_text", "services_text", "with_services"]

_BOUND_S = 60.0
_PAGE = 200
SERVICES: tuple[str, ...] = (
    "service", "namespaces", "pods", "requests counted by", "versions split by",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """What is looked for: one service, or without a name all of them."""

    service: str | None
    canary: str | None
    control: str | None
    namespace: str | None
    policy: str
    test: bool
    as_json: bool


def discover(
    looking: Looking,
    *,
    prometheus: str | None,
    config: Path | None,
    packs: Sequence[Path] | None = None,
) -> int:
    """Print it. A service that is not there, or a configuration that cannot fail, is code 2."""
    with with_services(prometheus, config, packs) as (services, settings):
        if looking.service is None:
            with _waiting("looking for services"):
                body = _every(services)
            print(_told(body, looking.as_json, services_text), end="")
            return Code.PASS
        with _waiting(f"looking at {looking.service}"):
            body, is_found = _one(services, settings, looking)
    if is_found or looking.as_json:
        print(_told(body, looking.as_json, service_text), end="")
    if not is_found:
        stop(_unfound(body), Code.USAGE)
    test = body["test"]
    if test is not None and not test["sound"]:
        stop(test["text"], Code.USAGE)
    return Code.PASS


@contextmanager
def with_services(
    prometheus: str | None, config: Path | None, packs: Sequence[Path] | None = None
) -> Iterator[tuple[Services, Settings]]:
    """Discovery on the source of the settings; `ConfigError` where none is named."""
    if prometheus is None and config is None and "SERINUS_SOURCE__URL" not in os.environ:
        raise ConfigError("say what to look at: --prometheus URL, or --config FILE")
    from api.cli.serving import settings_of
    from api.compose import open_services
    from pipelines.sources.open import open_source

    settings = settings_of(config, prometheus, {"packs": packs})
    source = open_source(settings.source.native())
    services = open_services(settings, source)
    services.bound_s = _BOUND_S
    try:
        yield services, settings
    finally:
        close = getattr(source, "close", None)
        if close is not None:
            close()


@contextmanager
def _waiting(words: str) -> Iterator[None]:
    """A sign of life at a terminal, while somebody waits for a slow source."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(words):
        yield


def _every(services: Services) -> Mapping[str, Any]:
    """All pages as one."""
    from api.bodies.services import page_body

    page = page_body(services.listed(limit=_PAGE))
    every = list(page["services"])
    skipped = list(page["skipped"])
    while page["next"] is not None:
        page = page_body(services.listed(after=page["next"], limit=_PAGE))
        every += page["services"]
        skipped += [one for one in page["skipped"] if one not in skipped]
    return {**page, "services": every, "skipped": skipped}


def _one(
    services: Services, settings: Settings, looking: Looking
) -> tuple[Mapping[str, Any], bool]:
    from api.bodies.services import portrait_body
    from detector.gate.policy import Policy
    from detector.gate.request import VerdictRequest

    policies = {"default": Policy(), **{p.name: p for p in settings.native_policies}}
    if looking.policy not in policies:
        raise ConfigError(f"--policy: no {looking.policy!r}; there are {', '.join(policies)}")
    request = VerdictRequest(
        service=looking.service or "",
        canary=looking.canary or "",
        control=looking.control,
        namespace=looking.namespace,
        policy=policies[looking.policy],
    )
    portrait = services.portrait(request, test=looking.test, policy=policies[looking.policy])
    return portrait_body(portrait), portrait.is_found


def _unfound(body: Mapping[str, Any]) -> str:
    arm = "control" if body["pods"]["canary"] else "canary"
    about = f"of {body['service']} no series matches the {arm} {body[arm]}."
    if not body["signals"]:
        about = f"nothing of {body['service']} is there."
    return " ".join([about, *body["notes"]])


def _told(body: Mapping[str, Any], as_json: bool, text: Any) -> str:  # noqa: ANN401
    return json.dumps(body, indent=2) + "\n" if as_json else text(body)


# -- text


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
