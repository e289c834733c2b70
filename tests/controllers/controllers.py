"""Argo's and Flagger's own code as a process: a spec goes in, what they did comes out in lines."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.servers import require_server

__all__ = [
    "DEPLOY",
    "TOKEN",
    "Argo",
    "Ended",
    "Flagger",
    "Tick",
    "argo",
    "check",
    "flagger",
    "notified",
]

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
TOKEN = "token-of-the-tests"
GIVE_UP_S = 150.0

Line = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How an AnalysisRun ended; `seconds` are of Argo's clock."""

    phase: str
    message: str
    count: int
    successful: int
    failed: int
    inconclusive: int
    error: int
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What a Canary's status said after a tick; `shown` are Flagger's own metrics of weights."""

    phase: str
    weight: int
    failed_checks: int
    shown: dict[str, float] = field(default_factory=dict, compare=False)


@dataclass(slots=True)
class Talk:
    """A program that takes JSON on standard input and says lines of JSON."""

    process: subprocess.Popen[str]
    errors: IO[str]

    def send(self, words: object) -> None:
        """One more object."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()

    def lines(self) -> Iterator[Line]:
        """What it says, until it ends."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield json.loads(line)
        if self.process.wait(timeout=10) != 0:
            self.errors.seek(0)
            raise AssertionError(f"controllers: {self.errors.read()[-2000:]}")


@dataclass(slots=True)
class Argo:
    """AnalysisRuns under way in Argo's controller, by name."""

    talk: Talk
    measured: dict[str, list[Line]] = field(default_factory=dict)
    ended: dict[str, Ended] = field(default_factory=dict)

    def happenings(self) -> Iterator[tuple[str, list[Line]]]:
        """After each measurement: which run took it, and all that it has taken."""
        for line in self.talk.lines():
            run = line.pop("run")
            if line.pop("event") == "ended":
                self.ended[run] = Ended(**line)
            else:
                self.measured.setdefault(run, []).append(line)
                yield run, self.measured[run]

    def terminate(self, run: str) -> None:
        """End a run early, as a Rollout does that has no more use for it."""
        self.talk.send({"terminate": run})

    def finish(self, *, endless: Collection[str] = (), after: int = 25) -> dict[str, Ended]:
        """Let all runs go to their end; those without one of their own end after so many."""
        for run, taken in self.happenings():
            if run in endless and len(taken) == after:
                self.terminate(run)
        return self.ended


@dataclass(slots=True)
class Flagger:
    """A Canary with a new revision in Flagger's controller."""

    talk: Talk

    def tick(self, times: int = 1) -> list[Tick]:
        """So many ticks, or fewer when it succeeded or failed before."""
        self.talk.send({"ticks": times})
        ticks: list[Tick] = []
        for line in self.talk.lines():
            ticks.append(Tick(**{k: v for k, v in line.items() if k not in {"event", "tick"}}))
            if len(ticks) == times:
                break
        return ticks


@contextmanager
def argo(
    runs: list[dict[str, object]], *, url: str, speed: float, token: str = TOKEN
) -> Iterator[Argo]:
    """Argo's analysis controller on these AnalysisRuns, its clock `speed` times as fast."""
    for run in runs:
        given = run.setdefault("args", {})
        assert isinstance(given, dict)
        given.setdefault("serinus-url", url)
    spec = {
        "deploy": str(DEPLOY / "argo"),
        "token": token,
        "speed": speed,
        "seconds": GIVE_UP_S,
        "runs": runs,
    }
    with _talk("argo", spec) as talk:
        yield Argo(talk)


@contextmanager
def flagger(*, url: str, **spec: object) -> Iterator[Flagger]:
    """Flagger's canary controller on the shipped Canary, a new image just deployed."""
    with _talk("flagger", _canary(url) | {"image": "example.com/checkout:new"} | spec) as talk:
        yield Flagger(talk)


def call(*hooks: tuple[str, str], url: str, **spec: object) -> list[tuple[bool, str]]:
    """Whether Flagger's webhook caller took the answers for a yes, and what it says of them."""
    asked = [{"type": kind, "phase": phase} for kind, phase in hooks]
    with _talk("flagger", _canary(url) | {"hooks": asked} | spec) as talk:
        return [(line["yes"], line["error"]) for line in talk.lines()]


def notified(
    config: str, trigger: str, thing: Mapping[str, object], *, url: str, token: str = TOKEN
) -> list[str]:
    """The templates that Argo's notifications sent for a thing, by a shipped ConfigMap."""
    spec = {
        "config": str(DEPLOY / "notifications" / f"{config}.yaml"),
        "url": url,
        "token": token,
        "trigger": trigger,
        "object": thing,
    }
    with _talk("notify", spec) as talk:
        return [template for line in talk.lines() for template in line["sent"]]


def check(deploy: Path) -> subprocess.CompletedProcess[str]:
    """All manifests of a folder, by the rules of their controllers."""
    command = [str(require_server("controllers")), "check", str(deploy)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def _canary(url: str) -> dict[str, object]:
    return {"canary": str(DEPLOY / "flagger/canary.yaml"), "url": url, "token": TOKEN, "retries": 0}


@contextmanager
def _talk(word: str, spec: object) -> Iterator[Talk]:
    binary = require_server("controllers")
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [str(binary), word],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        talk = Talk(process, errors)
        talk.send(spec)
        try:
            yield talk
        finally:
            process.kill()
            process.communicate()
