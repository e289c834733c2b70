"""Label sets by their text: read once, held while asked for, bounded."""

from __future__ import annotations

import msgspec
import pytest

from pipelines.sources.labels import LabelSets


def text(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def numbered(count: int, begin: int = 0) -> list[msgspec.Raw]:
    return [text({"pod": f"pod-{n}"}) for n in range(begin, begin + count)]


def test_equal_texts_are_one_object() -> None:
    """Each of five holders would keep a copy of every label set of every rollout."""
    sets = LabelSets()
    one, other = sets.of([text({"pod": "a"})]), sets.of([text({"pod": "a"})])
    assert one == [{"pod": "a"}]
    assert one[0] is other[0]


def test_equal_values_are_one_string() -> None:
    """Two thousand series of a service would hold its name two thousand times."""
    one, other = LabelSets().of(
        [text({"service": "a-shop", "le": "1"}), text({"service": "a-shop", "le": "2"})]
    )
    assert one["service"] is other["service"]


@pytest.mark.parametrize("wrong", [1, "a", ["a"], {"pod": 1}, {"pod": None}])
def test_what_is_no_label_set_is_refused(wrong: object) -> None:
    """A server that answers something else would be read as one without labels."""
    with pytest.raises(msgspec.MsgspecError):
        LabelSets().of([text(wrong)])


def test_label_sets_that_nobody_asks_for_are_forgotten() -> None:
    """Pods that are replaced each day would fill the memory within weeks."""
    sets = LabelSets()
    gone = sets.of(numbered(1))[0]
    lives = numbered(64, begin=1)
    kept = sets.of(lives)
    for _ in range(200):
        sets.of(lives)
    assert sets.of(lives)[0] is kept[0]
    assert sets.of(numbered(1))[0] is not gone


def test_label_sets_that_all_differ_are_bounded() -> None:
    """One look over ten million series would keep them all."""
    sets = LabelSets(most=10)
    first = sets.of(numbered(8))[0]
    for begin in range(8, 80, 8):
        sets.of(numbered(8, begin=begin))
    assert len(sets) <= 2 * (10 + 8)
    assert sets.of(numbered(1))[0] is not first
