"""`serinus init gate`: the YAML of a gate, proved on the past before it is written."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli.discovering import with_services
from api.cli.gate_yaml import Controller, Gate, gate_yaml
from api.cli.guard import Code, stop
from api.cli.try_text import rolled_lines
from detector.discovery.census import Census
from detector.discovery.portrait import Portrait
from detector.discovery.tried import Placebos, Rolled
from detector.discovery.workloads import hash_of, prefix_of
from detector.errors import ConfigError, InputError
from detector.gate.policy import Policy
from detector.gate.request import VerdictRequest
from pipelines.flows.backtest import Past
from pipelines.flows.backtest_jobs import Places
from pipelines.flows.discovery import Discovery
from pipelines.flows.trying import Trying

if TYPE_CHECKING:
    from api.settings import Settings
    from pipelines.flows.services import Services

__all__ = ["Wish", "init_gate"]

_CALL_S = 30.0
_ROLLOUTS, _PLACEBOS = 5, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted, as it was typed."""

    service: str
    controller: str
    namespace: str | None
    rollout: str | None
    server: str
    policy: str
    days: float
    output: Path | None


def init_gate(wish: Wish, *, prometheus: str | None, config: Path | None) -> int:
    """Prove it, told on standard error, and write it. Code 2 where it is refused."""
    controller = _controller(wish.controller)
    with with_services(prometheus, config) as (services, settings):
        policy = _policy(wish, settings)
        request = VerdictRequest(
            service=wish.service, canary="", namespace=wish.namespace, policy=policy
        )
        _tell("looking at the service and trying its configuration")
        portrait = services.portrait(request, test=True, policy=policy)
        _check(portrait)
        text = gate_yaml(controller, _gate(wish, services, portrait))
        _prove(wish, services, policy)
    if wish.output is None:
        print(text, end="")
    else:
        _write(wish.output, text)
    return Code.PASS


def _controller(name: str) -> Controller:
    try:
        return Controller(name)
    except ValueError:
        known = [one.value for one in Controller]
        near = get_close_matches(name, known, 1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise InputError(f"{name!r} is none of {', '.join(known)}{meant}", field="for") from None


def _policy(wish: Wish, settings: Settings) -> Policy:
    known = {"default": Policy(), **{p.name: p for p in settings.native_policies}}
    if wish.policy not in known:
        raise ConfigError(f"--policy: no {wish.policy!r}; there are {', '.join(known)}")
    return known[wish.policy]


def _check(portrait: Portrait) -> None:
    """Refuse what is not there, and what cannot fail."""
    test = portrait.test
    if not portrait.is_found:
        notes = " ".join(portrait.plan.notes)
        stop(f"nothing of {portrait.request.service} is there. {notes}".strip(), Code.USAGE)
    if test is None or not test.is_sound:
        stop(test.verdict if test is not None else "it was not tried", Code.USAGE)
    _tell(test.verdict)


def _gate(wish: Wish, services: Services, portrait: Portrait) -> Gate:
    usable = [split for split in portrait.splits if not split.against]
    return Gate(
        service=wish.service,
        namespace=wish.namespace or _namespace(wish, services),
        rollout=wish.rollout or _rollout(portrait) or wish.service,
        server=wish.server,
        split=usable[0] if usable else None,
        arms=portrait.rehearsal,
    )


def _namespace(wish: Wish, services: Services) -> str:
    """The one in which the service runs; `default` where its series tell none."""
    found = services.namespaces(wish.service)
    if len(found) > 1:
        raise InputError(f"it runs in {', '.join(found)}: name one", field="namespace")
    return found[0] if found else "default"


def _rollout(portrait: Portrait) -> str | None:
    """The workload of the service's pods, by their names, its role left out."""
    pods = {pod for split in portrait.splits for held in split.values.values() for pod in held}
    named = {prefix_of(pod).removesuffix(f"-{hash_of(pod)}-") for pod in pods if hash_of(pod)}
    plain = {name.removesuffix("-primary") for name in named}
    return plain.pop() if len(plain) == 1 else None


def _prove(wish: Wish, services: Services, policy: Policy) -> None:
    """Past rollouts and placebos of the service, told on standard error."""
    trying = Trying(
        source=services.source,
        packs=services.packs,
        policy=policy,
        now=time.time(),
        days=wish.days,
        left_s=lambda: _CALL_S,
    )
    census, _ = trying.services()
    own = [one for one in census.sightings if one.service == wish.service]
    census = Census(sightings=tuple(own), skipped=(), metrics=census.metrics)
    dug = trying.dig(census, most=_ROLLOUTS, tell=lambda _: None)
    past = Past(source=services.source, catalog=trying.catalog, discover=Discovery(services.packs))
    places = Places(jobs=1)
    courses = dict(trying.play(trying.rollout_tasks(dug.read), lambda: past, places))
    _tell(f"rollouts of the last {wish.days:g} days: {len(dug.read)}, {len(dug.unread)} more")
    for at, found in enumerate(dug.read):
        for line in rolled_lines(Rolled(found=found, course=courses[at])):
            _tell(line)
    tasks = trying.placebo_tasks([wish.service], _PLACEBOS)
    played = dict(trying.play(tasks, lambda: past, places))
    _tell(_placebos(Placebos.of(list(played.values()), asked=len(tasks))))


def _placebos(found: Placebos) -> str:
    if not found.judged:
        return "placebos: none could be judged; too few pods were there long enough"
    high = found.interval[1]
    of = f"{found.failed} of {found.judged} placebos of its own pods"
    return f"{of} would have been stopped (at most {high:.1%}, 95 %)"


def _write(path: Path, text: str) -> None:
    if path.exists():
        raise InputError(f"{path} is there already: name another, or take it away", field="output")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", field="output") from error
    _tell(f"written to {path}")


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
