"""Lines become templates, the same ones whatever the batches."""

from __future__ import annotations

import pytest

from models.templates.miner import Miner
from tests.models.templates.lines import columns, texts


def test_numbers_addresses_and_ids_make_no_new_template() -> None:
    """A line counted apart for every request would hide that it became frequent."""
    lines = [
        "request 4bf92f3577b34da6 from 10.0.0.7:4711 took 12ms",
        "request 00f067aa0ba902b7 from 10.0.0.8:80 took 7ms",
    ]
    assert texts(Miner(), lines) == ["request <id> from <ip> took <num>"] * 2


def test_verbs_and_status_words_are_never_parameters() -> None:
    """A machine that was paused is not one that was started, however many other words are seen."""
    words = ["Started", "Paused", "Stopped", "Resumed", "Failed"]
    lines = [f"VM {word} on node {node}" for node in range(40) for word in words]
    assert set(texts(Miner(), lines)) == {f"VM {word} on node <num>" for word in words}


def test_names_become_a_parameter_when_many_are_seen() -> None:
    """A template for each user would be as many series as there are users."""
    lines = [
        f"session opened for user {name} by root"
        for name in ("alice", "bob", "carol", "dave", "erin", "frank")
    ]
    assert set(texts(Miner(), lines)) == {"session opened for user <*> by root"}


def test_what_was_merged_is_told() -> None:
    """Whoever counts by number must know where counts of a number that is gone belong."""
    miner = Miner()
    first = miner.add(*columns(*(f"session opened for user {n} by root" for n in ("ann", "bob"))))
    later = miner.add(*columns(*(f"session opened for user {n} by root" for n in ("cy", "dora"))))
    assert first.number.tolist() == [0, 1]
    assert (1, 0) in later.merged
    assert later.number.tolist() == [0, 0]
    assert miner.template(0).count == 4


def test_a_number_that_is_gone_is_no_template() -> None:
    """A template asked for by a number of nothing is told as such, not made up."""
    with pytest.raises(KeyError):
        Miner().template(0)
