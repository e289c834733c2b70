"""What was learned reads as a sentence, and as settings that the configuration takes."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from detector.changes.change import ChangeKind
from detector.incidents.labels import Tally
from detector.incidents.learning import Kind, Score
from detector.incidents.learning_words import kind_words, score_words, snippet


def test_a_kind_that_hardly_moves_stays() -> None:
    """A tenth more is nothing to tell."""
    kind = Kind(kind=ChangeKind.CONFIG, default=0.05, before=0.05, after=0.052, low=0.03, high=0.09,
                tally=Tally(bad=2, good=30, unsure=4))  # fmt: skip
    assert kind_words(kind) == (
        "config: stays at 5 %; 2 known as bad, 30 as good, 4 suspected and never said"
    )


def test_a_score_says_all_that_it_counts() -> None:
    """In one line, to stand above another."""
    score = Score(guilty=10, first=8, top3=9, alone=4, unblamed=3, loss=0.25)
    assert score_words(score) == (
        "of 10 that came of a change it is first in 8 and in the first three in 9; "
        "of 4 that came of none 3 are not blamed; loss 0.250"
    )


@given(st.dictionaries(st.sampled_from(ChangeKind), st.floats(0.0001, 0.5)))
def test_settings_are_read_back_as_they_are_written(priors: dict[ChangeKind, float]) -> None:
    """Also where there are none."""
    rounded = {kind: round(share, 5) for kind, share in priors.items()}
    read = yaml.safe_load(snippet(rounded))["incidents"]["bad"]
    assert {ChangeKind(kind): float(share) for kind, share in read.items()} == rounded
