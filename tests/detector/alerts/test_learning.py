"""A rule had better not tell of what is hardly ever an incident, and keeps telling the rest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.alerts.brief import Gravity
from detector.alerts.history import Case, Telling, Word, WordKind
from detector.alerts.learning import Cut, RuleCut, cuts_of
from detector.incidents.learning_words import cut_words

LOW, MEDIUM, HIGH = Gravity
RIGHT, WRONG = WordKind.ACKNOWLEDGED, WordKind.NO_INCIDENT


def case(at: int, gravity: Gravity, word: WordKind | None, *, step: int = 0) -> Case:
    """An incident that was told in the chat, and what somebody said of it."""
    telling = Telling(receiver="chat", team="shop", at=at, step=step, route="service=cart")
    return Case(
        id=f"inc_{at}",
        title="cart",
        severity=gravity,
        services=("cart",),
        labels={},
        is_open=False,
        began=at,
        seen=at,
        told=(telling,),
        words=() if word is None else (Word(kind=word, person="ada", at=at),),
    )


def cases(*, low: str, high: str = "", first: int = 0) -> list[Case]:
    """Slight and grave ones in turn, `x` for wrong and `o` for right."""
    words = {"x": WRONG, "o": RIGHT}
    made = [case(first + 2 * n, LOW, words[one]) for n, one in enumerate(low)]
    return made + [case(first + 2 * n + 1, HIGH, words[one]) for n, one in enumerate(high)]


def test_what_is_never_an_incident_is_better_not_told() -> None:
    """By the older two thirds; the rest says what that would have done."""
    found = cuts_of(cases(low="x" * 30, high="o" * 30), 0, 1000)
    assert found == (
        RuleCut(
            route="service=cart",
            receiver="chat",
            least=MEDIUM,
            before=Cut(right=10, wrong=10),
            after=Cut(right=10, wrong=0),
        ),
    )
    assert found[0].is_better
    assert "spared 10 that were no incident and hidden 0" in cut_words(found[0])


def test_few_words_cut_nothing() -> None:
    """Ten wrong ones in a row may be bad luck."""
    assert cuts_of(cases(low="x" * 10), 0, 1000) == ()


def test_what_is_now_and_then_an_incident_is_told() -> None:
    """One of three is worth a look."""
    assert cuts_of(cases(low="xxo" * 30), 0, 1000) == ()


def test_what_did_not_hold_later_is_not_advised() -> None:
    """The rule was right lately."""
    (found,) = cuts_of(cases(low="x" * 30 + "o" * 15), 0, 1000)
    assert not found.is_better
    assert cut_words(found).endswith("leave it")


def test_only_what_was_said_of_a_first_telling_counts() -> None:
    """Not silence, not escalations, not what is outside of the span."""
    silent = [case(n, LOW, None) for n in range(60)]
    escalated = [case(n, LOW, WRONG, step=1) for n in range(60)]
    assert cuts_of(silent + escalated, 0, 1000) == ()
    assert cuts_of(cases(low="x" * 60), 500, 1000) == ()


WORDS = st.text("xo", max_size=60)


@given(WORDS, WORDS)
def test_a_cut_hides_no_more_than_it_tells_of(low: str, high: str) -> None:
    """What is told after it is a part of what was told before."""
    for found in cuts_of(cases(low=low, high=high), 0, 1000):
        assert found.least is not LOW
        assert found.after.right <= found.before.right
        assert found.after.wrong <= found.before.wrong


@given(WORDS)
def test_one_right_word_more_never_cuts_more(low: str) -> None:
    """Among the older ones."""
    cut = {one.least for one in cuts_of(cases(low="o" + low), 0, 1000)}
    without = {one.least for one in cuts_of(cases(low="x" + low), 0, 1000)}
    assert not cut or without
