"""What is read beside a rollout's verdict: its log templates over time, and where its time goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.context import Context
from api.streaming import Streaming
from detector.errors import SerinusError
from detector.gate.attempt import Attempt
from detector.gate.spoken import Spoken
from detector.gate.verdict import SignalVerdict, Verdict
from detector.logs.kept import KeptTemplate, TemplateFilter
from detector.spans.shift import Arms, Measure, TimeShift
from pipelines.flows.records import Rollout

__all__ = ["Beside", "Compared", "beside_of", "logs_of"]

# Clocks of services differ; and a rollout is looked at for a while after its end.
_AHEAD_S = 600.0
# A template comes at three levels at most, as a rule.
_MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Requests of the canary's versions beside those of the control's; `why` there is nothing."""

    canary: tuple[str, ...] = ()
    control: tuple[str, ...] = ()
    shifts: tuple[TimeShift, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """All of it; `compared` is None where this serinus takes no traces."""

    spoken: Spoken
    kept: tuple[KeptTemplate, ...]
    compared: Compared | None


def logs_of(verdict: Verdict | None) -> SignalVerdict | None:
    """The signal of log lines, where some templates are told of."""
    signals = () if verdict is None else verdict.signals
    return next((one for one in signals if one.templates), None)


def beside_of(context: Context, rollout: Rollout) -> Beside:
    """What stores and the stream know of it; what cannot be read is left out, the page is not."""
    verdict = rollout.page.verdicts[0] if rollout.page.verdicts else None
    logs, attempt = logs_of(verdict), rollout.attempt
    ids = tuple(one.id for one in logs.templates) if logs is not None else ()
    spoken = _spoken(context, attempt, ids)
    streaming = context.streaming if context.settings.logs.enabled else None
    if streaming is None:
        return Beside(spoken=spoken, kept=(), compared=None)
    return Beside(
        spoken=spoken,
        kept=_kept(streaming, attempt, ids),
        compared=_compared(streaming, attempt, spoken),
    )


def _spoken(context: Context, attempt: Attempt, ids: Sequence[str]) -> Spoken:
    try:
        return context.spoken(attempt.id, ids)
    except SerinusError:
        return Spoken()


def _kept(streaming: Streaming, attempt: Attempt, ids: tuple[str, ...]) -> tuple[KeptTemplate, ...]:
    """What the service's logs have of these templates, whichever the version."""
    identity = attempt.identity
    wanted = TemplateFilter(tenant=identity.tenant, service=identity.service, ids=ids, limit=_MOST)
    try:
        return tuple(streaming.logs.templates.list(wanted).templates) if ids else ()
    except SerinusError:
        return ()


def _compared(streaming: Streaming, attempt: Attempt, spoken: Spoken) -> Compared:
    try:
        return _asked(streaming, attempt, spoken)
    except SerinusError as error:
        return Compared(why=f"Traces could not be compared: {error}.")


def _asked(streaming: Streaming, attempt: Attempt, spoken: Spoken) -> Compared:
    # Late: it loads the compiler, of which a gate without spans has no need.
    from detector.spans.opposed import opposed

    identity = attempt.identity
    known = streaming.logs.versions(identity.tenant, identity.service)
    if known is None or not known.every:
        return Compared(why=f"No spans have come for {identity.service}; see docs/traces.md.")
    canary, control = opposed(known, spoken.canary, spoken.control, attempt.revision)
    if not canary or not control:
        return Compared(why=_untold(attempt))
    arms = Arms(
        service=identity.service,
        canary=canary,
        control=control,
        since=round(1000 * (attempt.started_at or attempt.asked_at)),
        until=round(1000 * (attempt.last_asked + _AHEAD_S)),
    )
    shifts = streaming.logs.shifts(identity.tenant, arms, Measure.PATH) or ()
    why = "" if shifts else "There are fewer than 20 traces of one operation on both sides yet."
    return Compared(
        canary=tuple(sorted(canary)), control=tuple(sorted(control)), shifts=shifts, why=why
    )


def _untold(attempt: Attempt) -> str:
    service = attempt.identity.service
    return (
        f"Spans of {service} have come, and do not tell canary from control: send service.version"
        " with them, or k8s.pod.name as the metrics have it."
    )
