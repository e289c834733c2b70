"""The verdict: what was judged, why, and what is still needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from detector.gate.aa import AaSummary
from detector.gate.policy import Mode
from detector.gate.reason import Reason, ReasonCode
from detector.gate.request import Stage
from detector.slo.policy import Spent

__all__ = [
    "Effect",
    "Needs",
    "Outcome",
    "Samples",
    "SignalVerdict",
    "TemplateVerdict",
    "Verdict",
    "answer_of",
]

_UNSEEN = (ReasonCode.NO_CANARY_DATA, ReasonCode.COLLECTING, ReasonCode.LOW_TRAFFIC)


class Outcome(StrEnum):
    """The judgement, and what a controller is told."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """How much worse: `difference` (of a ratio) or `ratio` (times); bounds are 90 %."""

    kind: str
    value: float | None
    low: float | None
    high: float | None
    tolerate: float
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Requests (or the signal's exposure) that counted on each side."""

    canary: float
    control: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateVerdict:
    """One kind of log line on both sides since `since`; `id` is `others` for what is rare together.

    `text` has `<...>` where lines differ, `sample` is a line of it, redacted; both are empty where
    nobody knows them. `is_new`: none was written in the history before the attempt.
    """

    id: str
    is_new: bool
    lines: Samples
    requests: Samples
    scope: str
    since: datetime
    evidence: float | None
    needed: float | None
    text: str = ""
    sample: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalVerdict:
    """One signal; values in its unit; `details` holds the numbers of gate.md section 8.

    `templates`: of log lines the kinds that stand out, the most telling first.
    """

    name: str
    outcome: Outcome
    required: bool
    judged: bool
    unit: str
    canary: float | None
    control: float | None
    effect: Effect | None
    evidence: float | None
    needed: float | None
    samples: Samples
    scope: str
    since: datetime | None
    reason: Reason
    details: dict[str, float | str | None]
    templates: tuple[TemplateVerdict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What is missing for a pass; None where more of it cannot help."""

    requests: int | None = 0
    seconds: int | None = 0
    canary_pods: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One stored answer; `aa` is the service's self-check as it stood when the attempt began.

    `limits`: by what the attempt's limits are multiplied, by the error budgets as it began; `spent`
    is what was known of them now, where the policy looks at them.
    """

    id: str
    outcome: Outcome
    answer: Outcome
    final: bool
    stage: Stage
    reason: Reason
    as_of: datetime
    started_at: datetime | None
    exposure_since: datetime | None
    attempt: str
    service: str
    rollout: str | None
    revision: str | None
    policy: str
    engine: str
    mode: Mode
    signals: tuple[SignalVerdict, ...]
    needs: Needs
    notes: tuple[str, ...] = ()
    waiting: str | None = None
    aa: AaSummary | None = None
    limits: float = 1.0
    spent: tuple[Spent, ...] = ()

    @property
    def is_unseen(self) -> bool:
        """Whether the source answered and shows no request of the canary: it serves nobody yet."""
        counted = sum(signal.samples.canary for signal in self.signals)
        return counted == 0 and self.reason.code in _UNSEEN


def answer_of(outcome: Outcome, mode: Mode) -> Outcome:
    """What the policy's mode lets a controller act on."""
    match mode:
        case Mode.SHADOW | Mode.ADVISE:
            return Outcome.PASS
        case Mode.PAUSE:
            return Outcome.INCONCLUSIVE if outcome is Outcome.FAIL else outcome
        case Mode.ENFORCE:
            return outcome
