"""Services and what is bound of them, as JSON; the classes document it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.bodies.answer import Answer
from detector.discovery.bindings import Binding
from detector.discovery.census import Skipped
from detector.discovery.portrait import Portrait
from detector.discovery.splits import Split
from detector.discovery.survey import Glance
from detector.discovery.trial import SelfTest, Tried
from pipelines.flows.services import Page

__all__ = ["ServicesAnswer", "SignalsAnswer", "page_body", "portrait_body"]


class SkippedAnswer(Answer):
    """Something that was not looked at."""

    what: str = Field(description="A metric, or a service by one.")
    why: str = Field(description="Why, in words.")


class SplitAnswer(Answer):
    """A label that may split versions."""

    label: str = Field(description="Its name.", examples=["pod"])
    kind: str = Field(description="By what versions are told apart.", examples=["pod hash"])
    values: dict[str, int] = Field(description="Each value with its number of pods.")
    selectors: dict[str, str] = Field(description="Each value with what selects it.")
    against: str | None = Field(description="Why it is not used; null where it may be.")


class ServiceAnswer(Answer):
    """A service that was found."""

    service: str = Field(description="Its name.")
    namespaces: list[str] = Field(description="Where it runs.")
    pods: int = Field(description="Pods that report now; 0 where series name none.")
    metrics: list[str] = Field(description="What counts its requests; the first one is read.")
    packs: list[str] = Field(description="The packs that know them.")
    split: SplitAnswer | None = Field(description="What splits its versions, if anything does.")


class ServicesAnswer(Answer):
    """A page of services, by name."""

    services: list[ServiceAnswer] = Field(description="This page.")
    found: int = Field(description="How many services there are in all.")
    metrics: int = Field(description="How many metrics the source has.")
    skipped: list[SkippedAnswer] = Field(description="What was not looked at, and why.")
    next: str | None = Field(description="`cursor` of the next page; null on the last.")


class AmountAnswer(Answer):
    """How much there was of a signal lately."""

    seconds: float = Field(description="Over how long.")
    series: int = Field(description="Series of both arms.")
    pods: int = Field(description="Pods of both arms.")
    samples: int = Field(description="Samples.")
    per_second: float | None = Field(description="What its counters rose by.")
    bad_per_second: float | None = Field(description="Of a ratio the bad part of it.")
    interval_s: float | None = Field(description="The median scrape interval.")


class BindingAnswer(Answer):
    """A signal that is bound."""

    name: str = Field(description="The signal.", examples=["error_rate"])
    kind: str = Field(description="How it is measured.", examples=["ratio"])
    pack: str = Field(description="The pack that knows the metric.")
    unit: str = Field(description="Unit of its value.", examples=["ratio"])
    stands_for: Literal["pod", "workload", "proxy"] = Field(description="What one series is of.")
    required: bool = Field(description="Whether a pass needs it.")
    judged: bool = Field(description="Whether it can fail a rollout; else it is shown only.")
    queries: list[str] = Field(description="What is read, raw, of both arms.")
    expression: str = Field(description="PromQL that shows it for the canary.")
    amount: AmountAnswer = Field(description="How much data there is.")
    confidence: Literal["sure", "likely", "doubtful"] = Field(
        description="How sure it is that the query measures what the name says."
    )
    doubts: list[str] = Field(description="Why it is not `sure`.")


class MissingAnswer(Answer):
    """A signal that is not bound."""

    name: str = Field(description="The signal.")
    why: str = Field(description="Why, in words.")


class TriedAnswer(Answer):
    """One copy of the service's samples that the gate was asked about."""

    signal: str | None = Field(description="The signal with the fault; null: the healthy copy.")
    words: str = Field(description="What was done to the samples.")
    failed_after_s: float | None = Field(description="When it was failed; null: never.")
    by: str | None = Field(description="By which signal.")
    last: str = Field(description="What was said at the end.")


class SelfTestAnswer(Answer):
    """Whether this configuration can fail what is bad, and leaves alone what is not."""

    sound: bool = Field(description="Whether it can be used.")
    text: str = Field(description="The result in a sentence.")
    minutes: float = Field(description="How much of the past was tried.")
    healthy: TriedAnswer | None = Field(description="The copy without a fault.")
    faults: list[TriedAnswer] = Field(description="The copies with one.")


class SignalsAnswer(Answer):
    """What would be judged of a service."""

    service: str = Field(description="Its name.")
    canary: str | None = Field(description="Who is compared; null where there is nobody.")
    control: str | None = Field(description="With whom, where that was told or had to be chosen.")
    pods: dict[str, int] = Field(description="Pods of `canary` and `control` lately.")
    arms: str | None = Field(description="How the arms were chosen; null where they were told.")
    splits: list[SplitAnswer] = Field(description="What may split versions, best first.")
    signals: list[BindingAnswer] = Field(description="What is bound.")
    missing: list[MissingAnswer] = Field(description="What is not bound, and why.")
    notes: list[str] = Field(description="What a person should know; nearest names among them.")
    test: SelfTestAnswer | None = Field(description="The self-test, where it was asked for.")


def page_body(page: Page) -> dict[str, Any]:
    """A page of services as JSON."""
    return {
        "services": [_glance(one) for one in page.services],
        "found": page.listing.services,
        "metrics": page.listing.metrics,
        "skipped": [_skipped(one) for one in page.listing.skipped],
        "next": page.next,
    }


def _glance(one: Glance) -> dict[str, Any]:
    return {
        "service": one.service,
        "namespaces": list(one.namespaces),
        "pods": one.pods,
        "metrics": list(one.metrics),
        "packs": list(one.packs),
        "split": None if one.split is None else _split(one.split),
    }


def _skipped(one: Skipped) -> dict[str, str]:
    return {"what": one.what, "why": one.why}


def _split(one: Split) -> dict[str, Any]:
    return {
        "label": one.label,
        "kind": one.kind.value,
        "values": {value: len(pods) for value, pods in one.values.items()},
        "selectors": dict(sorted(one.selectors.items())),
        "against": one.against or None,
    }


def portrait_body(portrait: Portrait) -> dict[str, Any]:
    """What would be judged of a service, as JSON."""
    request, arms, test = portrait.request, portrait.rehearsal, portrait.test
    return {
        "service": request.service,
        "canary": request.canary or None,
        "control": request.control or None,
        "pods": dict(zip(("canary", "control"), portrait.pods, strict=True)),
        "arms": None if arms is None else arms.words,
        "splits": [_split(one) for one in portrait.splits],
        "signals": [_binding(one) for one in portrait.bindings],
        "missing": [{"name": one.name, "why": one.why} for one in portrait.missing],
        "notes": list(portrait.plan.notes),
        "test": None if test is None else _test(test),
    }


def _binding(one: Binding) -> dict[str, Any]:
    amount = one.amount
    return {
        "name": one.name,
        "kind": one.kind.value,
        "pack": one.pack,
        "unit": one.unit,
        "stands_for": one.stands_for.value,
        "required": one.required,
        "judged": one.judged,
        "queries": list(one.queries),
        "expression": one.expression,
        "amount": {
            "seconds": amount.seconds,
            "series": amount.series,
            "pods": amount.pods,
            "samples": amount.samples,
            "per_second": amount.per_second,
            "bad_per_second": amount.bad_per_second,
            "interval_s": amount.interval_s,
        },
        "confidence": one.confidence.value,
        "doubts": list(one.doubts),
    }


def _test(test: SelfTest) -> dict[str, Any]:
    return {
        "sound": test.is_sound,
        "text": test.verdict,
        "minutes": test.minutes,
        "healthy": None if test.healthy is None else _tried(test.healthy),
        "faults": [_tried(one) for one in test.faults],
    }


def _tried(one: Tried) -> dict[str, Any]:
    return {
        "signal": one.signal,
        "words": one.words,
        "failed_after_s": one.failed_after_s,
        "by": one.by,
        "last": one.last,
    }
