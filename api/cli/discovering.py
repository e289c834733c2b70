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

from api.cli.discover_text import service_text, services_text
from api.cli.guard import Code, stop
from detector.errors import ConfigError

if TYPE_CHECKING:
    from api.settings import Settings
    from pipelines.flows.services import Services

__all__ = ["Looking", "discover", "with_services"]

_BOUND_S = 60.0
_PAGE = 200


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
    from api.compose import open_services, source_of

    settings = settings_of(config, prometheus, {"packs": packs})
    source = source_of(settings)
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
