"""What the doors need of the gate: `pipelines.flows.gate.Gate` in life."""

from __future__ import annotations

from typing import Protocol

from detector.gate.request import VerdictRequest
from detector.gate.verdict import Verdict
from pipelines.flows.people import People
from pipelines.flows.records import Records
from pipelines.flows.scans import Scans

__all__ = ["Gatekeeper"]


class Gatekeeper(Protocol):
    """Judges, remembers and lets people decide; safe for threads."""

    @property
    def records(self) -> Records:
        """What was answered."""
        ...

    @property
    def people(self) -> People:
        """What they decide, and the policies."""
        ...

    @property
    def scans(self) -> Scans:
        """What scanners told of revisions."""
        ...

    def judge(self, request: VerdictRequest) -> Verdict:
        """The verdict that is due; `InputError`, `NotFoundError`, `StoreError`."""
        ...

    def first_step(self, request: VerdictRequest) -> Verdict:
        """As `judge`, but yes once per attempt while no canary traffic could be seen."""
        ...
