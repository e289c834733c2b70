"""What stores keep beside the attempts: verdicts with what replays them, samples, policies."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from detector.gate.attempt import Attempt
from detector.gate.policy import Policy
from detector.gate.ruling import Circumstances
from detector.gate.telling import Post
from detector.gate.verdict import Outcome, Verdict

__all__ = [
    "FAIL_DAYS",
    "PASS_DAYS",
    "Chunk",
    "Filter",
    "Kept",
    "Page",
    "PolicyVersion",
    "Pruned",
    "StoredVerdict",
    "chunk_of",
]

PASS_DAYS = 30
FAIL_DAYS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVerdict:
    """An answer and the circumstances in which it was given."""

    verdict: Verdict
    seen: Circumstances


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The samples of one read: `hash` names this content after all that came before (`prev`)."""

    attempt: str
    hash: str
    prev: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What one question leaves behind at `at`: the attempt, what was read, and a changed answer.

    `posts`: who is to be told of it. `durable`: a power cut must not undo it.
    """

    attempt: Attempt
    at: float
    chunk: Chunk | None = None
    verdict: StoredVerdict | None = None
    posts: tuple[Post, ...] = ()
    durable: bool = False


def chunk_of(attempt: str, prev: str, body: bytes) -> Chunk:
    """A chunk under its right name."""
    name = hashlib.sha256(prev.encode() + b"\n" + body).hexdigest()
    return Chunk(attempt=attempt, hash=name, prev=prev, body=body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which verdicts are listed; None is any. `after` is the cursor of the page before.

    `newest_only`: of each attempt its newest verdict, if that is wanted, and no other.
    """

    tenant: str | None = None
    service: str | None = None
    rollout: str | None = None
    attempt: str | None = None
    outcome: Outcome | None = None
    since: float | None = None
    until: float | None = None
    after: str | None = None
    limit: int = 50
    newest_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of verdicts, newest first; `next` is the cursor of the following page."""

    verdicts: tuple[Verdict, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """One saved version of a named policy."""

    policy: Policy
    version: int
    at: float
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """How much was deleted."""

    verdicts: int
    chunks: int
    attempts: int
