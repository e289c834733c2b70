"""Which templates are worth a closer look, and that nothing else decides it than the bins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.excess import Excess, look_back
from detector.gate.frame import Frame, truncated
from detector.gate.vocabulary import Vocabulary
from detector.gate.window import Rows, Window, window
from detector.series import FloatArray
from tests.detector.gate.logged import NEW, Talk, logged
from tests.detector.gate.rollouts import Recipe, dropped
from tests.profiles import HEAVY

NAME = "log_templates"
FRAME = logged(Recipe(seed=3), Talk(canary={NEW: 0.01}, later=40))


def vocabulary(frame: Frame) -> Vocabulary:
    assert frame.lines is not None
    return Vocabulary.of(frame.lines, frame.control.counts.get(NAME), frame, 1.0)


WORDS = vocabulary(FRAME)


def seen(frame: Frame, words: Vocabulary = WORDS, begin: int | None = None) -> Excess:
    """What stands out from a bin on, by default from the start."""
    win: Window = window(frame, Rows(), 1.0, pods_told_apart=True)
    return Excess.of(win, -frame.first if begin is None else begin - frame.first, NAME, words)


def of(excess: Excess, kind: str) -> FloatArray:
    """At which bins a kind stands out."""
    return excess.stands[:, excess.kinds.index(kind)].astype(float)


def with_lines(canary: FloatArray, template: str = NEW) -> Frame:
    """Lines of one template on the first canary pod, in the bins from the start on."""
    frame = logged(Recipe(seed=4), Talk(both={"lt_0a": 0.002}, canary={template: 1e-9}))
    lines = frame.lines
    assert lines is not None
    counts = lines.counts.copy()
    row = int(np.flatnonzero(lines.canary & (lines.template == lines.templates.index(template)))[0])
    counts[row, -frame.first : -frame.first + len(canary)] = canary
    return replace(frame, lines=replace(lines, counts=counts))


def test_a_new_template_stands_out_from_its_second_bin_on() -> None:
    """Soon, or five minutes would not do."""
    stands = of(seen(FRAME), NEW)
    assert not stands[:41].any()
    assert stands[44:].all()


def test_what_both_sides_write_alike_hardly_ever_stands_out() -> None:
    """Hundreds of known templates must cost nothing."""
    excess = seen(FRAME)
    assert "lt_0a" in excess.kinds
    assert of(excess, "lt_0a").mean() < 0.3


def test_lines_of_one_moment_do_not_stand_out() -> None:
    """A template must show twice; what lies between two samples is in two bins side by side."""
    once = np.zeros(60)
    once[[20, 21]] = 3.0, 4.0
    twice = once.copy()
    twice[30] = 1.0
    assert not of(seen(with_lines(once)), NEW).any()
    assert of(seen(with_lines(twice)), NEW)[30]


def test_what_pods_write_while_they_start_is_not_looked_at() -> None:
    """A dump of the configuration is hundreds of lines, and none of them is evidence."""
    dump = np.zeros(60)
    dump[[0, 1, 2]] = 200.0
    assert not any(of(seen(with_lines(dump)), kind).any() for kind in [NEW])


def test_a_single_pod_stands_out_beside_many_quiet_ones() -> None:
    """One bad pod of three is a third of the harm."""
    frame = logged(Recipe(seed=5), Talk(both={"lt_0a": 0.004}, canary={"lt_0a": 0.01}, pods=[1]))
    assert of(seen(frame, vocabulary(frame)), "lt_0a")[-20:].all()


def test_no_lines_are_no_excess() -> None:
    """A plan without logs, or an arm without, is passed over."""
    silent = replace(FRAME, lines=None)
    assert seen(silent).kinds == ()
    lone = replace(FRAME, control=replace(FRAME.control, counts={}))
    assert seen(lone).stands.shape == (100, 0)


@given(cut=st.integers(1, 99))
@HEAVY
def test_what_stands_out_does_not_depend_on_how_many_bins_are_read_at_once(cut: int) -> None:
    """Polled each minute or replayed in one go, the same template is heard from the same bin on."""
    whole, late = seen(FRAME), seen(FRAME, begin=cut)
    early = seen(truncated(FRAME, cut), begin=0)
    kept = dropped(FRAME, max(FRAME.first, cut - look_back(15.0) - 21))
    forgot = seen(kept, begin=cut)
    for part, bins in (
        (early, slice(0, cut)),
        (late, slice(cut, None)),
        (forgot, slice(cut, None)),
    ):
        for kind in part.kinds:
            assert np.array_equal(of(part, kind), of(whole, kind)[bins])


@given(factor=st.floats(1.0, 50.0))
@HEAVY
def test_more_lines_never_make_less_stand_out(factor: float) -> None:
    """Monotone: worse is not better hidden."""
    bins = np.zeros(60)
    bins[10::7] = 2.0
    less, more = (of(seen(with_lines(bins * by)), NEW) for by in (1.0, factor))
    assert (more >= less).all()
