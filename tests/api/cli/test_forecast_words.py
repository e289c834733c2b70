"""Words of the command line that stand for those of the maths, which it loads late."""

from __future__ import annotations

from api.cli.forecast_words import Tells
from models.stat import Stat


def test_every_way_to_tell_of_samples_can_be_typed() -> None:
    """And no other."""
    assert {word.value: word.name for word in Tells} == {word.value: word.name for word in Stat}
