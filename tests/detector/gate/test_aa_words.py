"""What stands beside each verdict about the service's self-check."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detector.gate.aa import AaKind, AaResult, PlaceboKind
from detector.gate.aa_words import aa_note, share_words
from tests.detector.gate.test_aa import result


def kinds(placebos: int, failed: int) -> tuple[AaKind, ...]:
    """One kind."""
    return (AaKind(kind=PlaceboKind.OLD, placebos=placebos, failed=failed, reached=failed),)


def test_nothing_is_said_of_a_service_that_was_not_checked() -> None:
    """Nor of a check that found nothing to judge."""
    assert aa_note(None) == ()
    assert aa_note(replace(result(), kinds=())) == ()


@pytest.mark.parametrize(
    ("made", "words"),
    [
        pytest.param(
            replace(result(), kinds=kinds(240, 0)),
            "A/A check of 2026-09-21: of 240 placebos on this service's own pods 0 would have"
            " failed (at most 1.5 %, 95 %).",
            id="clean",
        ),
        pytest.param(
            replace(result(raised=2.013), kinds=kinds(240, 4)),
            "A/A check of 2026-09-21: of 240 placebos on this service's own pods 4 would have"
            " failed (at most 4.2 %, 95 %); a fail needs 2.01 times the evidence here.",
            id="raised",
        ),
        pytest.param(
            replace(result(), kinds=kinds(12, 0)),
            "A/A check of 2026-09-21: of 12 placebos on this service's own pods 0 would have"
            " failed (at most 26 %, 95 %); 200 are needed to say more.",
            id="too few",
        ),
    ],
)
def test_the_check_is_told_in_one_sentence(made: AaResult, words: str) -> None:
    """How many, of how many, how sure that is, and what follows."""
    assert aa_note(made) == (words,)


def test_a_share_tells_how_sure_it_is() -> None:
    """None of twenty is not none."""
    assert share_words(0, 20) == "0 would have failed (at most 17 %, 95 %)"
