"""Label sets that were seen before are found again without being placed anew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.gate.known import Known, KnownByQuestion, Labels

NAMES = st.lists(st.sampled_from("abcdef"), unique=True, max_size=6)


class Desk:
    """Gives each label set its number, and counts how often it was asked."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.asked = 0

    def place(self, labels: Labels) -> int:
        self.asked += 1
        return self.numbers.setdefault(labels["pod"], len(self.numbers))


def sets(names: list[str]) -> list[Labels]:
    return [{"pod": name} for name in names]


@given(st.lists(NAMES, max_size=8))
def test_a_label_set_has_one_number_in_every_answer(answers: list[list[str]]) -> None:
    """A pod's requests would be added to another pod's, because a third one went away."""
    known, desk = Known(), Desk()
    for names in answers:
        found = known.numbers(sets(names), desk.place).tolist()
        assert found == [desk.numbers[name] for name in names]


def test_the_same_answer_is_not_placed_again() -> None:
    """Every poll would hash the labels of every series."""
    known, desk = Known(), Desk()
    known.numbers(sets(["a", "b", "c"]), desk.place)
    known.numbers(sets(["a", "b", "c"]), desk.place)
    known.numbers(sets(["a", "c"]), desk.place)
    assert desk.asked == 3


def test_pods_that_come_are_placed_and_those_that_stay_are_not() -> None:
    """A rollout brings a pod at a time, and thousands of series stay as they are."""
    known, desk = Known(), Desk()
    known.numbers(sets(["a", "b"]), desk.place)
    assert known.numbers(sets(["a", "new", "b"]), desk.place).tolist() == [0, 2, 1]
    assert desk.asked == 3


def test_nothing_is_found_in_an_empty_answer() -> None:
    """A source that has no series yet."""
    known, desk = Known(), Desk()
    assert known.numbers([], desk.place).tolist() == []
    assert known.numbers(sets(["a"]), desk.place).tolist() == [0]


def test_only_the_last_questions_are_remembered() -> None:
    """Pods that come and go for weeks make new questions each time."""
    known = KnownByQuestion()
    first = known.of("a")
    assert known.of("a") is first
    for number in range(1000):
        known.of(number)
    assert known.of("a") is not first
