"""Chances follow what people said: no further than it reaches, and better where it is better."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.changes.change import ChangeKind
from detector.incidents.labels import Label, Labels, Tally, Truth, labels_of
from detector.incidents.learning import Relearned, fitted, relearned, reranked, score_of
from detector.incidents.learning_words import advice_words
from detector.incidents.record import SaidKind
from detector.incidents.suspects import SuspectSettings, suspected
from tests.detector.incidents.making import CALLS, change, symptom
from tests.detector.incidents.saying import ALONE, DEFAULTS, History, incident, lived, said

FLAG = ChangeKind.FLAG
RISKY = {**DEFAULTS, FLAG: 5 * DEFAULTS[FLAG]}


@cache
def learnt(seed: int, *, risky: bool, days: int = 60, spoken: float = 0.7) -> Relearned:
    """What is learned of a history in which flags are risky, or all is as is thought."""
    history = lived(seed, RISKY if risky else DEFAULTS, days=days, spoken=spoken)
    return of(history)


def of(history: History) -> Relearned:
    """What is learned of it, by the defaults."""
    return relearned(labels_of(history.kept, history.changes), DEFAULTS, DEFAULTS)


def after(found: Relearned, kind: ChangeKind = FLAG) -> float:
    """The chance of a kind as it was fitted."""
    return next(one.after for one in found.kinds if one.kind is kind)


# -- a history


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_flags_that_are_five_times_as_dangerous_are_found(seed: int) -> None:
    """And incidents of the past are ranked better by it, each by what was said of the others."""
    found = learnt(seed, risky=True)
    assert after(found) == pytest.approx(RISKY[FLAG], rel=0.35)
    assert found.is_better
    assert found.after.loss < found.before.loss
    assert found.after.first >= found.before.first
    assert "apply it" in advice_words(found)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_where_the_defaults_are_right_nothing_is_recommended(seed: int) -> None:
    """Noise is no reason to change anything."""
    found = learnt(seed, risky=False)
    assert not found.is_better
    assert after(found, ChangeKind.DEPLOYMENT) == pytest.approx(0.05, rel=0.5)
    assert "leave it" in advice_words(found)


@pytest.mark.parametrize("spoken", [0.25, 1.0])
def test_silence_does_not_make_changes_look_safe(spoken: float) -> None:
    """Who speaks of every fourth incident learns the same, less surely."""
    found = learnt(7, risky=True, days=90, spoken=spoken)
    assert after(found) == pytest.approx(RISKY[FLAG], rel=0.45)


def test_few_labels_move_little_and_recommend_nothing() -> None:
    """One word is one observation beside two assumed ones."""
    history = lived(1, RISKY, days=3)
    found = of(history)
    assert 0 < found.spoken < 10
    assert not found.is_better
    one = Labels(incidents=(), tallies={FLAG: Tally(bad=1, good=20)}, occasions=5, spoken=1)
    assert DEFAULTS[FLAG] < fitted(DEFAULTS, one)[FLAG] < 1.6 * DEFAULTS[FLAG]


def test_without_a_word_all_stays_to_the_digit() -> None:
    """However many changes went well, as far as anybody said."""
    found = learnt(1, risky=True, days=10, spoken=0.0)
    assert {one.kind: one.after for one in found.kinds} == pytest.approx(DEFAULTS, rel=1e-12)
    assert (found.priors, found.gain, found.labelled) == ({}, 0.0, 0)
    assert "nothing to learn from" in advice_words(found)


def test_order_does_not_matter() -> None:
    """Of incidents, of changes, of what was said."""
    history = lived(5, RISKY, days=20)
    first = of(history)
    turned = History(kept=history.kept[::-1], changes=history.changes[7:] + history.changes[:7])
    assert of(turned) == first


# -- re-ranking


def test_ranking_anew_is_what_ranking_with_them_had_been() -> None:
    """All that was weighed is kept with the incident, so the chances can be exchanged."""
    flag, deployment = change("cart", -3, FLAG), change("cart", -2)
    past = incident("cart", 0, [flag, deployment])
    again = suspected([symptom()], [flag, deployment], CALLS, ALONE, SuspectSettings(bad=RISKY))
    found = reranked(past.suspects, RISKY)
    assert found.none == pytest.approx(again.none)
    assert [one.change.id for one in found.suspects] == [one.change.id for one in again.suspects]
    assert [one.probability for one in found.suspects] == pytest.approx(
        [one.probability for one in again.suspects]
    )


def test_what_a_ranking_is_worth_is_counted_as_people_see_it() -> None:
    """First is only who is likelier than none."""
    flag = change("cart", -2, FLAG)
    past = incident("cart", 0, [flag])
    guilty = Label(incident=past, truth=Truth.CHANGE, guilty=flag)
    alone = Label(incident=past, truth=Truth.NO_CHANGE)
    unlikely = reranked(past.suspects, {**DEFAULTS, FLAG: 1e-4})
    likely = reranked(past.suspects, {**DEFAULTS, FLAG: 0.5})
    assert likely.none < 0.5 < unlikely.none
    seen = score_of([guilty, alone], [unlikely, unlikely])
    assert (seen.first, seen.top3, seen.unblamed) == (0, 0, 1)
    seen = score_of([guilty, alone], [likely, likely])
    assert (seen.first, seen.top3, seen.unblamed) == (1, 1, 0)


def test_an_incident_is_ranked_by_what_was_said_of_others() -> None:
    """Else each would speak for itself."""
    flag = change("cart", -2, FLAG)
    kept = [said(incident("cart", 0, [flag]), SaidKind.CAUSED_BY, flag)]
    found = relearned(labels_of(kept, [flag]), DEFAULTS, DEFAULTS)
    assert after(found) > DEFAULTS[FLAG]
    assert found.gain == pytest.approx(0.0, abs=1e-12)


# -- laws

TALLY = st.builds(
    Tally, bad=st.integers(0, 200), good=st.integers(0, 5000), unsure=st.integers(0, 50)
)
LABELS = st.builds(
    lambda tallies, spoken, silent: Labels(
        incidents=(), tallies=tallies, occasions=spoken + silent, spoken=spoken
    ),
    st.fixed_dictionaries(dict.fromkeys(ChangeKind, TALLY)),
    st.integers(0, 300),
    st.integers(0, 300),
)


def with_tally(labels: Labels, **more: int) -> Labels:
    """One flag more, of some sort."""
    tally = labels.tallies[FLAG]
    added = {name: getattr(tally, name) + many for name, many in more.items()}
    return replace(labels, tallies={**labels.tallies, FLAG: replace(tally, **added)})


@given(LABELS)
def test_chances_are_bounded(labels: Labels) -> None:
    """No kind is ever ruled out, none is ever certain."""
    assert all(1e-4 <= share <= 0.5 for share in fitted(DEFAULTS, labels).values())


@given(LABELS)
def test_one_bad_change_more_never_lowers_its_kind_nor_moves_others(labels: Labels) -> None:
    """At the same number of occasions."""
    before, now = fitted(DEFAULTS, labels), fitted(DEFAULTS, with_tally(labels, bad=1))
    assert now[FLAG] >= before[FLAG]
    assert {**now, FLAG: 0} == {**before, FLAG: 0}


@given(LABELS)
def test_one_good_change_more_never_raises_its_kind(labels: Labels) -> None:
    """And one of which nothing is known does nothing."""
    before = fitted(DEFAULTS, labels)[FLAG]
    assert fitted(DEFAULTS, with_tally(labels, good=1))[FLAG] <= before
    assert fitted(DEFAULTS, with_tally(labels, unsure=1))[FLAG] == before


@given(LABELS)
def test_the_fit_lies_between_the_default_and_what_was_seen(labels: Labels) -> None:
    """As a mean of both has to."""
    tally, share = labels.tallies[FLAG], labels.spoken / max(1, labels.occasions)
    seen = tally.bad + share * tally.good
    if not seen:
        assert fitted(DEFAULTS, labels)[FLAG] == pytest.approx(DEFAULTS[FLAG])
        return
    low, high = sorted((tally.bad / seen, DEFAULTS[FLAG]))
    assert min(low, 0.5) - 1e-9 <= fitted(DEFAULTS, labels)[FLAG] <= max(high, 1e-4) + 1e-9
