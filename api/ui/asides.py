"""What stands beside the evidence: facts, decisions of people, commands to type."""

from __future__ import annotations

import shlex

from api.ui.wording import about, day_clock
from detector.gate.attempt import Attempt
from detector.gate.verdict import Verdict
from pipelines.flows.records import Rollout

__all__ = ["commands", "decided_by_people", "facts_of"]


def facts_of(attempt: Attempt, verdict: Verdict | None, now: float) -> tuple[tuple[str, str], ...]:
    """What is known of an attempt, by name; what is not known is left out."""
    identity = attempt.identity
    place = " / ".join(word for word in (identity.cluster, identity.namespace) if word)
    exposure = verdict.exposure_since.timestamp() if verdict and verdict.exposure_since else None
    weight = attempt.weights[-1].weight if attempt.weights else None
    known: tuple[tuple[str, str | None], ...] = (
        ("Judged at", _when(verdict.as_of.timestamp(), now) if verdict else None),
        ("Last asked", _when(attempt.last_asked, now)),
        ("Canary since", _when(attempt.started_at, now)),
        ("This exposure since", _when(exposure, now)),
        ("Weight", None if weight is None else f"{weight:g} %"),
        ("Stage asked", verdict.stage.value if verdict else None),
        ("Mode", verdict.mode.value if verdict else attempt.policy.mode.value),
        ("Namespace", place or None),
        ("Canary", "{" + identity.canary + "}"),
        ("Policy", attempt.policy.digest),
        ("Engine", attempt.engine),
        ("Attempt", attempt.id),
    )
    return tuple((name, text) for name, text in known if text is not None)


def _when(at: float | None, now: float) -> str | None:
    return None if at is None else f"{day_clock(at, near=now)} ({about(at - now)})"


def decided_by_people(rollout: Rollout, now: float) -> tuple[str, ...]:
    """Overrides in words, oldest first."""
    found = []
    for made in rollout.overrides:
        state = "stands" if now < made.until else "has expired"
        span = f"{day_clock(made.at, near=now)} to {day_clock(made.until, near=now)}"
        found.append(f"{made.person} decided {made.outcome.value}, {span} ({state}): {made.reason}")
    return tuple(found)


def commands(attempt: Attempt, verdict: Verdict | None, base: str) -> tuple[tuple[str, str], ...]:
    """What a person may want to type, whole and quoted; `base` is this serinus' address."""
    decide = "serinus override {id} --outcome {word} --for 1h --reason 'WHY'"
    service = shlex.quote(attempt.identity.service)
    found = [
        (
            "Name this serinus once (where it asks for a token, SERINUS_TOKEN too)",
            f"export SERINUS_SERVER={shlex.quote(base)}",
        ),
        ("Let it go on", decide.format(id=shlex.quote(attempt.id), word="pass")),
        ("Stop it", decide.format(id=shlex.quote(attempt.id), word="fail")),
        (
            "Stop acting on verdicts of this service",
            f"serinus mode shadow --service {service} --for 2h --reason 'WHY'",
        ),
    ]
    if verdict is not None:
        id = shlex.quote(verdict.id)
        why = ("Why this verdict, in words", f"serinus explain {id}")
        found[1:1] = [why, ("Compute this verdict again", f"serinus replay {id}")]
    return tuple(found)
