"""Lines of everyday software: kinds that a person would tell apart are told apart, no others."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from models.templates.miner import Miner
from tests.models.templates.lines import columns, final, texts
from tests.models.templates.machines import MACHINES
from tests.models.templates.software import APART
from tests.models.templates.software import KINDS as SOFTWARE

KINDS = SOFTWARE | MACHINES
ORDERS = [1, 2, 3]
EVERY = [(line, shown) for kinds in KINDS.values() for shown, of in kinds.items() for line in of]


def shuffled(told: list[tuple[str, str]], seed: int) -> list[tuple[str, str]]:
    """The same in another order."""
    return [told[at] for at in np.random.default_rng(seed).permutation(len(told)).tolist()]


@pytest.mark.parametrize("software", sorted(KINDS))
def test_kinds_of_lines_of_a_software_are_its_templates(software: str) -> None:
    """Whoever runs it knows these lines, and finds each kind once, with its parameters named."""
    told = [(line, shown) for shown, lines in KINDS[software].items() for line in lines]
    assert texts(Miner(), [line for line, _ in told]) == [shown for _, shown in told]


@pytest.mark.parametrize("seed", ORDERS)
@pytest.mark.parametrize("software", sorted(KINDS))
def test_kinds_do_not_hang_on_which_line_comes_first(software: str, seed: int) -> None:
    """Lines of a service come in any order, and a rollout changes it."""
    told = [(line, shown) for shown, lines in KINDS[software].items() for line in lines * 2]
    told = shuffled(told, seed)
    assert texts(Miner(), [line for line, _ in told]) == [shown for _, shown in told]


@pytest.mark.parametrize("seed", ORDERS)
def test_softwares_do_not_get_mixed_up(seed: int) -> None:
    """One miner learns the lines of a whole tenant: what is alike in another's changes nothing."""
    told = shuffled(EVERY, seed)
    assert texts(Miner(), [line for line, _ in told]) == [shown for _, shown in told]


@pytest.mark.parametrize("seed", ORDERS)
def test_kinds_are_the_same_line_by_line(seed: int) -> None:
    """A sender that flushes each line has the templates of one that flushes each minute."""
    told = shuffled(EVERY, seed)
    miner = Miner()
    numbers = final([miner.add(*columns(line)) for line, _ in told])
    assert [miner.template(number).text for number in numbers] == [shown for _, shown in told]


@pytest.mark.parametrize("table", sorted(APART))
def test_words_of_what_happened_stay_apart(table: str) -> None:
    """That something failed is not the same kind of line as that it succeeded, however often."""
    frame, words = APART[table]
    lines = [(frame.format(word, n=n), word) for n in range(40) for word in words]
    found = defaultdict(set)
    for shown, (_, word) in zip(texts(Miner(), [line for line, _ in lines]), lines, strict=True):
        found[shown].add(word)
    assert sorted(map(sorted, found.values())) == sorted([word] for word in words)


@pytest.mark.parametrize("table", sorted(APART))
def test_a_name_on_the_same_line_is_a_parameter_all_the_same(table: str) -> None:
    """Words of states keep their own place fixed, and no other."""
    frame, words = APART[table]
    hosts = ("a.example", "b.example", "c.example", "d.example", "e.example", "f.example")
    lines = [f"{frame.format(word, n=1)} at {host} again" for word in words for host in hosts]
    assert len(set(texts(Miner(), lines))) == len(words)


def test_a_template_of_each_kind_has_all_of_its_lines() -> None:
    """Rates are judged by template: a line that was counted elsewhere is missing from its own."""
    miner = Miner()
    miner.add(*columns(*(line for line, _ in EVERY)))
    again = miner.add(*columns(*(line for line, _ in EVERY)))
    counts = {miner.template(n).text: miner.template(n).count for n in again.number.tolist()}
    told = [shown for _, shown in EVERY]
    assert counts == {shown: 2 * told.count(shown) for shown in told}
    assert not len(again.fresh)
    assert not again.merged


def test_samples_of_a_kind_are_its_parameters_in_order() -> None:
    """A person who looks at a template sees which user and which port that was."""
    miner = Miner()
    lines = [f"user {name} from 10.0.0.{n} asked for /{name}" for n, name in enumerate("abcdef")]
    number = int(miner.add(*columns(*lines)).number[0])
    pattern = miner.template(number)
    assert pattern.text == "user <*> from <ip> asked for <path>"
    assert pattern.samples == tuple(
        (name, f"10.0.0.{n}", f"/{name}") for n, name in enumerate("abc")
    )
