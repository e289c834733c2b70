"""Error lines from series to a verdict that names them: discovery, gate, engine, stores, replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pytest

from detector.gate.policy import Policy, SignalPolicy
from detector.gate.request import VerdictRequest
from detector.gate.session import Session
from detector.gate.verdict import Outcome, SignalVerdict, Verdict
from detector.logs.counted import Template
from pipelines.flows.discovery import Discovery
from pipelines.flows.gate import Gate, GateSettings
from pipelines.flows.records import Records
from pipelines.packs import load_packs
from pipelines.sources.memory import MemorySource
from pipelines.stores.memory import memory_stores
from pipelines.testing.template_texts import MemoryTemplateTexts
from tests.pipelines.flows.shops import (
    CANARY,
    DIALECTS,
    HISTORY_S,
    LENGTH_S,
    STABLE,
    STEP_S,
    T0,
    Dialect,
    Faults,
    fill,
)

PACKS = load_packs()
CLIENT = DIALECTS[0]
OLD, NEW = "lt_0000000000000001", "lt_00000000000000ff"
TEXT = Template(
    id=NEW,
    text="charge of order <num> failed: <*>",
    sample="charge of order 17 failed: card refused\n\tat Payment.charge(Payment.java:42)",
)


def written(
    held: MemorySource,
    canary: Mapping[str, float],
    *,
    both: float = 0.002,
    pods: Sequence[str] = (*STABLE, *CANARY),
) -> MemorySource:
    """Add the pods' log lines: all write `OLD`, the canary's those of `canary`, per request."""
    rng = np.random.default_rng(3)
    for pod in pods:
        own = canary if pod in CANARY else {}
        begin = T0 if pod in CANARY else T0 - HISTORY_S
        times = np.arange(begin + STEP_S, T0 + LENGTH_S, STEP_S)
        requests = rng.poisson(20 * STEP_S, len(times))
        rates = {OLD: both, **own}
        each = {name: np.cumsum(rng.binomial(requests, rate)) for name, rate in rates.items()}
        total = np.sum(list(each.values()), axis=0)
        told = {("info", ""): np.cumsum(requests), ("error", ""): total}
        told |= {("error", name): lines for name, lines in each.items()}
        for (level, template), values in told.items():
            labels = {
                "__name__": "serinus_log_lines_total",
                "service": "checkout",
                "namespace": "shop",
                "pod": pod,
                "level": level,
                "template": template,
            }
            there = values > 0
            if there.any():
                held.add(labels, times[there], values[there].astype(np.float64))
    return held


@dataclass
class Shop:
    """A gate as it is composed in life on a source, asked at times that are moved by hand."""

    held: MemorySource
    texts: MemoryTemplateTexts = field(default_factory=lambda: MemoryTemplateTexts([TEXT]))
    policy: Policy | str = "default"
    now: float = T0

    def __post_init__(self) -> None:
        self.stores = memory_stores()
        self.gate = Gate(
            source=self.held,
            catalog=self.held,
            stores=self.stores,
            clock=lambda: self.now,
            discover=Discovery(PACKS, self.held),
            session_factory=Session,
            settings=GateSettings(bound_s=120.0, texts=self.texts),
        )

    def ask(self, second: float, *, as_of: float | None = None) -> Verdict:
        """The answer at a second from the start."""
        self.now = T0 + second
        moment = None if as_of is None else datetime.fromtimestamp(T0 + as_of, UTC)
        request = VerdictRequest(
            service="checkout", canary=CLIENT.canary, as_of=moment, policy=self.policy
        )
        return self.gate.judge(request)

    def until_fail(self, last: int = 900) -> Verdict:
        """Asked each minute, the first fail or the last answer."""
        verdict = self.ask(60)
        for second in range(120, last + 1, 60):
            if verdict.outcome is Outcome.FAIL:
                break
            verdict = self.ask(second)
        return verdict


def shop(canary: Mapping[str, float], **more: object) -> Shop:
    """A healthy shop but for what the canary writes."""
    return Shop(written(fill(CLIENT, Faults()), canary), **more)  # type: ignore[arg-type]


def lines_of(verdict: Verdict) -> SignalVerdict:
    """The signal of log lines."""
    return next(one for one in verdict.signals if one.name == "log_templates")


def test_a_new_error_line_fails_the_canary_and_is_named() -> None:
    """No metric moved; whoever is on call reads which line is new, how often, and since when."""
    verdict = shop({NEW: 0.01}).until_fail()
    (first, *_) = lines_of(verdict).templates
    assert (verdict.outcome, verdict.reason.code) == (Outcome.FAIL, "log_templates_up")
    assert verdict.as_of.timestamp() - T0 <= 300
    assert NEW in verdict.reason.text
    assert "charge of order <num> failed" in verdict.reason.text
    assert (first.id, first.is_new, first.text) == (NEW, True, TEXT.text)
    assert first.lines.canary > 5
    assert first.lines.control == 0
    assert first.requests.canary > 100
    assert first.sample.splitlines()[1] == "at Payment.charge(Payment.java:42)"


def test_a_stored_verdict_replays_to_the_bit_without_asking_for_texts() -> None:
    """The store of templates may have forgotten the line a year later; the evidence has not."""
    world = shop({NEW: 0.01})
    verdict = world.until_fail()
    world.texts.is_down = True
    asked = len(world.texts.asked)
    again = world.gate.records.replay(verdict.id)
    elsewhere = Records(memory_stores(), Session).replay_file(world.gate.records.export(verdict.id))
    assert again == elsewhere == world.stores.verdicts.get(verdict.id).verdict
    assert NEW in again.reason.text
    assert TEXT.text == lines_of(again).templates[0].text
    assert len(world.texts.asked) == asked


def test_polls_of_any_rhythm_find_the_same_boundary() -> None:
    """Asked each minute or once at the end: the fail is dated alike."""
    often, once = shop({NEW: 0.01}), shop({NEW: 0.01})
    dates = [
        one.stores.attempts.get(verdict.attempt).latch
        for one, verdict in ((often, often.until_fail()), (once, once.ask(900)))
    ]
    first, late = dates
    assert first is not None
    assert late is not None
    assert (first.at, first.signal) == (late.at, late.signal) == (first.at, "log_templates")


def test_an_answer_does_not_wait_for_a_store_of_templates_that_is_down() -> None:
    """Without the words the id and the counts still stop the rollout."""
    texts = MemoryTemplateTexts([TEXT])
    texts.is_down = True
    verdict = shop({NEW: 0.01}, texts=texts).until_fail()
    assert verdict.outcome is Outcome.FAIL
    assert NEW in verdict.reason.text
    assert lines_of(verdict).templates[0].text == ""


def test_what_a_store_did_not_redact_is_not_shown() -> None:
    """A verdict goes to chats and tickets: no address and no secret goes with it."""
    told = Template(id=NEW, text="login of <*> failed", sample="login of ann@example.org failed")
    verdict = shop({NEW: 0.01}, texts=MemoryTemplateTexts([told])).until_fail()
    assert "example.org" not in verdict.reason.text
    assert lines_of(verdict).templates[0].sample == "login of <email> failed"


def test_the_past_is_told_with_its_words() -> None:
    """A page of last night's rollout shows the line as the night saw it."""
    world = shop({NEW: 0.01})
    failed = world.until_fail()
    then = world.ask(1200, as_of=failed.as_of.timestamp() - T0)
    assert then.reason == failed.reason
    assert lines_of(then).templates == lines_of(failed).templates


def test_lines_that_both_sides_write_pass() -> None:
    """A known error goes on as it was: nothing to see, and the signal says so with its counts."""
    verdict = shop({}).until_fail(last=900)
    told = lines_of(verdict)
    assert verdict.outcome is Outcome.PASS
    assert told.outcome is not Outcome.FAIL
    assert told.samples.canary > 1000
    assert told.required is False


def test_a_new_line_that_is_rare_is_no_fail() -> None:
    """A text with the new version in it, once in fifty thousand requests, is what releases do."""
    assert shop({NEW: 2e-5}).until_fail(last=900).outcome is not Outcome.FAIL


def test_a_policy_makes_log_lines_advice_only() -> None:
    """Who does not trust their logs yet sees them and is not stopped by them."""
    policy = Policy(signals={"log_templates": SignalPolicy(judged=False)})
    verdict = shop({NEW: 0.01}, policy=policy).until_fail(last=900)
    told = lines_of(verdict)
    assert verdict.outcome is Outcome.PASS
    assert (told.judged, told.evidence) == (False, 1.0)
    assert told.templates[0].id == NEW


def test_a_policy_may_require_log_lines() -> None:
    """Required and absent is no pass: a log pipeline that died must not read as silence."""
    policy = Policy(signals={"log_templates": SignalPolicy(required=True)})
    silent = Shop(fill(CLIENT, Faults()), policy=policy).until_fail(last=600)
    assert (silent.outcome, silent.reason.code) == (Outcome.INCONCLUSIVE, "signal_missing")
    heard = shop({}, policy=policy).until_fail(last=900)
    assert heard.outcome is Outcome.PASS
    assert lines_of(heard).required


def test_a_service_without_logs_has_no_such_signal() -> None:
    """Nobody who has no logs here is told of their lack, and nothing else changes."""
    verdict = Shop(fill(CLIENT, Faults())).until_fail(last=600)
    assert "log_templates" not in {one.name for one in verdict.signals}
    assert verdict.outcome is Outcome.PASS


def test_a_canary_whose_logs_are_not_read_shows_no_silence() -> None:
    """Its pods ship no lines: that is no evidence that they write none."""
    held = written(fill(CLIENT, Faults()), {NEW: 0.01}, pods=STABLE)
    told = lines_of(Shop(held).until_fail(last=900))
    assert told.samples.canary == 0
    assert told.samples.control > 1000
    assert told.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("dialect", [DIALECTS[1], DIALECTS[-1]], ids=lambda one: one.name)
def test_lines_are_found_beside_other_conventions(dialect: Dialect) -> None:
    """Whoever counts the requests, log lines are bound by the names of the same pods."""
    held = written(fill(dialect, Faults()), {NEW: 0.01})
    world = Shop(held)
    world.now = T0 + 300
    request = VerdictRequest(service="checkout", canary=dialect.canary)
    assert lines_of(world.gate.judge(request)).samples.canary > 0
