"""What a service is known to write, and how alpha is divided over what it writes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.gate.frame import Frame
from detector.gate.talk import Lines
from detector.gate.vocabulary import OTHERS, Vocabulary
from models.sequential.rows import ROWS, RowName
from tests.detector.gate.logged import NEW, Talk, logged
from tests.detector.gate.rollouts import Recipe

ROW = ROWS[RowName.LOGS]


def vocabulary(frame: Frame) -> Vocabulary:
    """What is known at the start of a frame."""
    assert frame.lines is not None
    return Vocabulary.of(frame.lines, frame.control.counts.get("log_templates"), frame, 1.0)


def known(count: int) -> Vocabulary:
    """A service that writes so many templates, the first the most often."""
    both = {f"lt_{nth:02x}": 4e-3 / (nth + 1) for nth in range(count)}
    return vocabulary(logged(Recipe(bins=4), Talk(both=both)))


FEW, MANY = known(3), known(60)


def test_what_the_control_wrote_before_is_known_with_its_rate() -> None:
    """A known error is held against what it was, not against nothing."""
    past = FEW.past("lt_00")
    assert FEW.is_known("lt_00")
    assert past.rate == pytest.approx(4e-3, rel=0.1)
    assert past.pods == 6


def test_a_new_template_has_half_a_line_over_the_history() -> None:
    """Never seen in seven hundred thousand requests is not never."""
    past = FEW.past(NEW)
    assert not FEW.is_known(NEW)
    assert past.rate == pytest.approx(0.5 / (past.requests + 1))
    assert past.requests > 1e5


def test_templates_beyond_the_commonest_are_one_kind() -> None:
    """Fifty have a share each; the sixtieth does not thin out the shares of the others."""
    kinds = {MANY.kind(f"lt_{nth:02x}") for nth in range(60)}
    assert len(kinds) == 51
    assert OTHERS in kinds
    assert MANY.kind("lt_00") == "lt_00"
    assert MANY.kind("lt_3b") == OTHERS
    assert MANY.kind(NEW) == NEW


def test_lines_of_the_canary_make_nothing_known() -> None:
    """What only the new version writes is new, however early it wrote it."""
    frame = logged(Recipe(bins=4), Talk(both={}, canary={NEW: 0.5}))
    assert not vocabulary(frame).is_known(NEW)


def test_without_any_history_everything_is_new() -> None:
    """Logs that were connected a minute ago know no template, and do not fail for it."""
    frame = logged(Recipe(bins=4, history=0), Talk())
    assert not vocabulary(frame).is_known("lt_0a")
    assert vocabulary(frame).past("lt_0a").rate == pytest.approx(0.01)


@given(arrivals=st.lists(st.integers(0, 300), max_size=400))
def test_shares_never_sum_above_one(arrivals: list[int]) -> None:
    """A release that invents templates must not buy more chances to be called bad."""
    one = known(2)
    for nth in arrivals:
        one.part(f"lt_new{nth}")
    new = sum(one.part(f"lt_new{nth}") for nth in set(arrivals))
    assert one.whole + 2 * one.even + new <= 1.0 + 1e-12


@given(order=st.permutations(range(6)))
def test_the_first_to_come_keeps_the_largest_share(order: list[int]) -> None:
    """A share is settled once: what comes later changes none that was given."""
    one = known(1)
    first = [one.part(f"lt_{nth}") for nth in order]
    again = [one.part(f"lt_{nth}") for nth in reversed(order)]
    assert first == sorted(first, reverse=True)
    assert again == first[::-1]


def test_the_order_in_which_a_source_tells_series_is_no_fact() -> None:
    """Two sources with the same lines come to the same shares."""
    frame = logged(Recipe(bins=4), Talk(both={f"lt_{n:02x}": 1e-3 for n in range(55)}))
    lines = frame.lines
    assert lines is not None
    turned = Lines(
        templates=lines.templates[::-1],
        template=len(lines.templates) - 1 - lines.template,
        pod=lines.pod,
        canary=lines.canary,
        counts=lines.counts,
    )
    here, there = vocabulary(frame), vocabulary(replace(frame, lines=turned))
    assert [here.kind(t) for t in lines.templates] == [there.kind(t) for t in lines.templates]


def test_pods_that_differ_are_known_to_differ() -> None:
    """An error that clusters on single pods by habit is not held against one canary pod."""
    alike = vocabulary(logged(Recipe(bins=4), Talk(both={"lt_0a": 0.01})))
    apart = vocabulary(logged(Recipe(bins=4), Talk(both={"lt_0a": 0.01}, spread=0.6)))
    sds = [one.past("lt_0a").noise(ROW).tau for one in (alike, apart)]
    assert sds[0] < 0.1
    assert sds[1] > 0.3
    assert np.isfinite(sds).all()
