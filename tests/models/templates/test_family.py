"""Which place of alike lines is a parameter: the compiled evidence and its plain twin agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.templates import kernel_family, twin_family
from models.templates.kinds import CAPITALS, LED, MOST_TOKENS, STATE, Kind
from models.templates.miner import Miner
from models.templates.twin_family import Line
from tests.models.templates.lines import texts

SIGNS = st.sampled_from(
    [
        Kind.WORD,
        Kind.WORD | STATE,
        Kind.WORD | CAPITALS,
        Kind.WORD | LED,
        Kind.NAME,
        Kind.NUM,
        Kind.IP,
    ]
)


@st.composite
def families(draw: st.DrawFn) -> tuple[list[Line], Line, int]:
    """Lines of one length whose words are of few kinds, one more, and a set of free places."""
    n = draw(st.integers(1, 5))
    words = draw(st.lists(SIGNS, min_size=12, max_size=12))
    word = st.integers(0, draw(st.integers(0, 11))).map(lambda nth: (nth + 1, int(words[nth])))
    constant = draw(st.lists(word, min_size=n, max_size=n))
    token = [st.one_of(st.just(one), word) for one in constant]
    lines = draw(st.lists(st.tuples(*token), min_size=1, max_size=30))
    return list(lines[:-1]), lines[-1], draw(st.integers(0, (1 << n) - 1))


def pooled(
    rows: list[Line], own: Line
) -> tuple[kernel_family.Pool, np.ndarray, kernel_family.Pool]:
    """As the compiled evidence takes them."""
    flat = [token for row in rows for token in row]
    columns = [
        (np.array([h for h, _ in of], np.uint64), np.array([s for _, s in of], np.uint8))
        for of in (flat, own)
    ]
    return columns[0], np.arange(len(rows), dtype=np.int64) * len(own), columns[1]


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """What takes seconds, the first time on a machine, is over before examples are timed."""
    pool, rows, own = pooled([[(1, 0)]], [(2, 0)])
    kernel_family.likeness(pool, rows, own, np.uint64(0))
    kernel_family.freed(pool, rows, own, np.uint64(0), np.zeros(MOST_TOKENS, np.uint64))


@given(family=families())
def test_the_compiled_evidence_is_the_plain_one(family: tuple[list[Line], Line, int]) -> None:
    """A rule that people read and reason about is the rule that runs."""
    rows, own, free = family
    pool, starts, tokens = pooled(rows, own)
    like = kernel_family.likeness(pool, starts, tokens, np.uint64(free))
    alone = np.zeros(MOST_TOKENS, np.uint64)
    found = int(kernel_family.freed(pool, starts, tokens, np.uint64(free), alone))
    assert like == pytest.approx(twin_family.likeness(rows, own, free))
    assert found == twin_family.freed(rows, own, free)


@given(family=families())
def test_what_is_free_is_not_freed_again(family: tuple[list[Line], Line, int]) -> None:
    """Only what is new leads to templates being merged."""
    rows, own, free = family
    assert twin_family.freed(rows, own, free) & free == 0


def test_names_of_states_in_capitals_stay_apart() -> None:
    """From which state to which a task went is what its lines are about."""
    states = ["NEW", "ASSIGNED", "RUNNING", "SUCCEEDED", "FAILED", "KILLED"]
    lines = [f"task went from {a} to {b}" for a in states for b in states if a != b]
    assert set(texts(Miner(), lines)) == set(lines)


def test_hosts_are_a_parameter_sooner_than_words() -> None:
    """Three hosts are enough, with an address among them two."""
    named = [f"connect to {host} gave up" for host in ("a.example", "b.example", "c.example")]
    mixed = ["connected with db.example at last", "connected with 10.0.0.7 at last"]
    assert set(texts(Miner(), named)) == {"connect to <*> gave up"}
    assert set(texts(Miner(), mixed)) == {"connected with <*> at last"}


def test_other_sentences_that_begin_alike_stay_apart() -> None:
    """What could not be done is not a parameter of that something could not be done."""
    lines = [
        "Cannot find configuration file",
        "Cannot parse header line",
        "Cannot bind listening socket",
        "Cannot drop root privileges",
        "Cannot resolve peer name",
        "Cannot spawn helper process",
    ]
    assert texts(Miner(), lines) == lines
