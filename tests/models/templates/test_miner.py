"""Lines become templates, the same ones whatever the batches."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.templates.miner import Miner, Settings
from tests.models.templates.lines import LOGS, columns, final, same, texts
from tests.profiles import HEAVY


def test_numbers_addresses_and_ids_make_no_new_template() -> None:
    """A line counted apart for every request would hide that it became frequent."""
    lines = [
        "request 4bf92f3577b34da6 from 10.0.0.7:4711 took 12ms",
        "request 00f067aa0ba902b7 from 10.0.0.8:80 took 7ms",
    ]
    assert texts(Miner(), lines) == ["request <id> from <ip>:<num> took <num>"] * 2


def test_verbs_and_status_words_are_never_parameters() -> None:
    """A machine that was paused is not one that was started, however many other words are seen."""
    words = ["Started", "Paused", "Stopped", "Resumed", "Failed", "Migrating", "down"]
    lines = [f"VM {word} on node {node}" for node in range(40) for word in words]
    assert set(texts(Miner(), lines)) == {f"VM {word} on node <num>" for word in words}


def test_two_words_are_enough_to_tell_what_happened() -> None:
    """`VM Started` and `VM Paused` are two kinds of lines, though half of each is the same."""
    assert texts(Miner(), ["VM Started", "VM Paused"]) == ["VM Started", "VM Paused"]


def test_names_become_a_parameter_when_many_are_seen() -> None:
    """A template for each user would be as many series as there are users."""
    names = ("alice", "bob", "carol", "dave", "erin", "frank")
    lines = [f"session opened for user {name} by root" for name in names]
    assert set(texts(Miner(), lines)) == {"session opened for user <*> by root"}


def test_a_name_at_the_begin_of_a_line_becomes_a_parameter_too() -> None:
    """Where every line begins with who did it, users are no kinds of lines either."""
    names = [chr(97 + a) + chr(97 + b) for a in range(5) for b in range(6)]
    lines = [f"{name} bought one large pizza" for name in names]
    assert set(texts(Miner(), lines)) == {"<*> bought one large pizza"}


def test_names_of_which_some_are_hosts_are_one_parameter() -> None:
    """Whether a host has a dot or a digit in its name makes no other kind of line."""
    hosts = ["alpha", "web7", "db.internal", "beta", "cache.internal", "gamma"]
    lines = [f"{host} reports that its disk is full" for host in hosts]
    assert set(texts(Miner(), lines)) == {"<*> reports that its disk is full"}


def test_what_was_merged_is_told() -> None:
    """Whoever counts by number must know where counts of a number that is gone belong."""
    miner = Miner()
    first = miner.add(*columns(*(f"session opened for user {n} by root" for n in ("ann", "bo"))))
    later = miner.add(*columns(*(f"session opened for user {n} by root" for n in ("cy", "dora"))))
    assert first.number.tolist() == [0, 1]
    assert (1, 0) in later.merged
    assert later.number.tolist() == [0, 0]
    assert miner.template(0).count == 4


def test_a_number_that_was_never_given_is_no_template() -> None:
    """A template asked for by a number of nothing is told as such, not made up."""
    with pytest.raises(KeyError):
        Miner().template(0)


def test_a_few_parameters_are_kept_as_they_were_written() -> None:
    """People look at values to understand a template; three are enough, a million are too many."""
    miner = Miner()
    miner.add(*columns(*(f"took {n}ms for /cart/{n}" for n in range(100))))
    assert miner.template(0).samples == (("0ms", "/cart/0"), ("1ms", "/cart/1"), ("2ms", "/cart/2"))


@HEAVY
@given(lines=LOGS, cuts=st.sets(st.integers(1, 119)))
def test_batch_boundaries_do_not_matter(lines: list[str | bytes], cuts: set[int]) -> None:
    """What a template is must not hang on how a sender cuts its lines into requests."""
    whole, parts = Miner(), Miner()
    at = [0, *sorted(cut for cut in cuts if cut < len(lines)), len(lines)]
    once = whole.add(*columns(*lines))
    mined = [parts.add(*columns(*lines[i:j])) for i, j in pairwise(at)]
    assert final(mined) == once.number.tolist()
    assert same(whole.to_arrays(), parts.to_arrays())


@HEAVY
@given(lines=LOGS)
def test_every_line_is_counted_once(lines: list[str | bytes]) -> None:
    """Rates per template add up to the rate of lines, whatever was merged."""
    miner = Miner()
    numbers = miner.add(*columns(*lines)).number.tolist()
    assert sum(miner.template(number).count for number in set(numbers)) == len(lines)
    assert miner.tally.templates == len(set(numbers))


@HEAVY
@given(lines=LOGS, settings=st.sampled_from([Settings(), Settings(templates=16)]))
def test_the_same_lines_give_the_same_ids_in_another_process(
    lines: list[str | bytes], settings: Settings
) -> None:
    """A template is the same in a worker's counts as in another's, and after a restart."""
    one, other = Miner(settings), Miner(settings)
    ids = [[m.template(n).id for n in m.add(*columns(*lines)).number] for m in (one, other)]
    assert ids[0] == ids[1]


def test_ids_are_what_they_were_when_places_become_parameters() -> None:
    """Counts of weeks are kept under the id; that a second user came must not end their series."""
    miner = Miner()
    miner.add(*columns("session opened for user ann by root"))
    before = miner.template(0)
    miner.add(*columns(*(f"session opened for user {n} by root" for n in ("bo", "cy", "dora"))))
    assert miner.template(0).id == before.id
    assert miner.template(0).text != before.text


def test_an_id_is_the_same_in_every_release() -> None:
    """Stored counts outlive an update: the hash of a template's text is part of the contract."""
    miner = Miner()
    miner.add(*columns("took 5 ms", "session opened for user ann"))
    assert [miner.template(n).id for n in (0, 1)] == ["lt_760b6227f0afb13c", "lt_5158791bd2f37065"]


def test_fewer_templates_than_a_handful_are_refused() -> None:
    """A limit of nothing would forget each template before its second line."""
    with pytest.raises(ValueError, match="at least 16"):
        Settings(templates=1)
