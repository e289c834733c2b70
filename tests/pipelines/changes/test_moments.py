"""Moments as senders write them."""

from __future__ import annotations

import pytest

from pipelines.changes.moments import AHEAD_MS, moment_ms, sane_ms

AT = 1_619_639_400_000


@pytest.mark.parametrize(
    "word",
    [
        "2021-04-28T19:50:00Z",
        "2021-04-28T19:50:00.000000000Z",
        "2021-04-28 21:50:00 +0200",
        "2021-04-28 19:50:00 UTC",
        "2021-04-28 19:50:00 +0000 UTC",
        "2021-04-28T19:50:00",
        "1619639400",
        "1619639400000",
        "1619639400000000",
        "1619639400000000000",
    ],
)
def test_a_moment_is_read_however_it_is_written(word: str) -> None:
    """GitLab, Flagger, Go and Terraform each write their own."""
    assert moment_ms(word) == AT


@pytest.mark.parametrize(
    "word", ["", "soon", "-5", "nan", "inf", "9999999-01-01", "2021-13-45T00:00:00Z"]
)
def test_what_is_no_moment_is_none(word: str) -> None:
    """Then the change was when it was told."""
    assert moment_ms(word) is None
    assert sane_ms(moment_ms(word), AT) == AT


def test_a_moment_far_ahead_of_our_clock_is_now() -> None:
    """A change from the future would stand before every incident to come."""
    assert sane_ms(AT + AHEAD_MS, AT) == AT + AHEAD_MS
    assert sane_ms(AT + AHEAD_MS + 1, AT) == AT
