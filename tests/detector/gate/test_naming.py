"""What a verdict calls a kind of log line, and that nothing a line holds can do harm there."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.judgement import FirstFail, Judgement
from detector.gate.naming import Wording, named, unnamed
from detector.gate.reason import Reason
from detector.gate.verdict import Needs, Outcome, Samples, SignalVerdict, TemplateVerdict
from detector.gate.vocabulary import OTHERS

ID = "lt_00000000000000ff"
REASON = Reason("log_templates_up", f"New error lines of template {ID}: 22 in 2806 requests.")
WORDING = Wording.of(
    ID, "order <num> failed", "order 17 failed\n\tat Charge.java:42\n\tat A\n\tat B"
)


def template(id: str = ID) -> TemplateVerdict:
    """One that stands out."""
    return TemplateVerdict(
        id=id,
        is_new=True,
        lines=Samples(canary=22.0, control=0.0),
        requests=Samples(canary=2806.0, control=9000.0),
        scope="arm",
        since=datetime(2026, 3, 1, tzinfo=UTC),
        evidence=1e9,
        needed=1e4,
    )


def judgement(*templates: TemplateVerdict) -> Judgement:
    """A fail by log lines, and a signal without any."""
    signal = SignalVerdict(
        name="log_templates",
        outcome=Outcome.FAIL,
        required=False,
        judged=True,
        unit="ratio",
        canary=0.01,
        control=0.0,
        effect=None,
        evidence=1e9,
        needed=1e4,
        samples=Samples(canary=2806.0, control=9000.0),
        scope="arm",
        since=None,
        reason=REASON,
        details={},
        templates=templates,
    )
    return Judgement(
        outcome=Outcome.FAIL,
        reason=REASON,
        signals=(replace(signal, name="error_rate", templates=()), signal),
        needs=Needs(),
        exposure_since=None,
        evaluated_to=None,
        first_fail=FirstFail(at=0.0, signal="log_templates", reason=REASON),
    )


def test_a_named_template_has_its_text_and_first_lines_everywhere() -> None:
    """The reason, the signal and the stored first fail say the same."""
    told = named(judgement(template()), [WORDING])
    (shown,) = told.signals[1].templates
    assert "It reads “order <num> failed”, for example “order 17 failed”." in told.reason.text
    assert told.first_fail is not None
    assert told.first_fail.reason == told.reason == told.signals[1].reason
    assert shown.text == "order <num> failed"
    assert shown.sample.splitlines() == ["order 17 failed", "at Charge.java:42", "at A"]


def test_unknown_templates_leave_an_answer_as_it_is() -> None:
    """A store that forgot them takes nothing away."""
    before = judgement(template())
    assert named(before, []) == before
    assert named(before, [Wording.of("lt_other", "x", "")]) == before


def test_an_example_that_says_no_more_is_left_out() -> None:
    """A text without a variable is its own example."""
    told = named(judgement(template()), [Wording.of(ID, "disk is full", "disk is full")])
    assert told.reason.text.endswith("It reads “disk is full”.")


def test_only_real_templates_are_looked_up() -> None:
    """The rare ones together have no text; each id is asked for once."""
    asked = unnamed(judgement(template(), template(OTHERS), template("lt_01"), template()))
    assert asked == (ID, "lt_01")


@pytest.mark.parametrize(
    "line",
    ["\x1b[2J\x1b]0;owned\x07gone", "a\u202egnp.exe", "x\x00y\x9bz", "zero\u200bwidth\ufeff"],
    ids=["ansi", "bidi", "control", "hidden"],
)
def test_what_moves_a_cursor_or_hides_is_taken_out(line: str) -> None:
    """A log line is written by whoever sends a request: it must not act on a terminal."""
    made = Wording.of(ID, line, line)
    for text in (made.text, made.sample):
        assert {unicodedata.category(c)[0] for c in text} <= set("LMNPSZ")


@given(text=st.text(max_size=3000), sample=st.text(max_size=3000))
def test_a_wording_is_always_short_and_harmless(text: str, sample: str) -> None:
    """Ten megabytes of a line are a few hundred characters of a verdict."""
    made = Wording.of(ID, text, sample)
    assert len(made.text) <= 300
    assert len(made.sample) <= 600
    assert len(made.sample.splitlines()) <= 3
    told = named(judgement(template()), [made])
    assert len(told.reason.text) < len(REASON.text) + 400
    assert all(c == "\n" or unicodedata.category(c)[0] in "LMNPSZ" for c in made.sample)
