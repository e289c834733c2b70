"""Changes are found by service and time as a look at all of them finds them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.changes.change import Change, ChangeKind
from detector.incidents.changes import Changes
from tests.detector.incidents.making import MINUTE, T0, change

SERVICES = ["", "cart", "web", "db"]
MADE = st.lists(
    st.builds(change, service=st.sampled_from(SERVICES), minute=st.integers(-60, 5)), max_size=20
)


@given(
    MADE,
    st.sets(st.sampled_from(SERVICES)),
    st.integers(-60, 5),
    st.integers(-60, 5),
)
def test_it_finds_what_a_look_at_all_finds(
    made: list[Change], services: set[str], since: int, lately: int
) -> None:
    """Those of near services of a day, those of all others of half an hour."""
    known = {one.id: one for one in made}
    began, late = T0 + MINUTE * since, T0 + MINUTE * lately
    found = Changes(known).near(services, since=began, lately=late)
    wanted = {
        one.id
        for one in known.values()
        if one.started_at >= (began if one.place.service in services else late)
    }
    assert sorted(one.id for one in found) == sorted(wanted)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (change("cart", -9), False),
        (change("cart", 8, ChangeKind.ROLLBACK), False),
        (change("cart", -40), True),
        (change("cart", -9, ChangeKind.FLAG), True),
        (change("web", -9), True),
        (replace(change("cart", -9), is_inferred=True), True),
    ],
    ids=["sender", "rolled back", "long before", "flag", "another service", "inferred, too"],
)
def test_what_the_data_showed_is_no_second_suspect_where_somebody_told_it(
    told: Change, found: bool
) -> None:
    """Both would be half as likely as the one change that they are."""
    seen = replace(change("cart", 0), id="seen", is_inferred=True)
    near = Changes({one.id: one for one in (seen, told)}).near({"cart"}, since=0, lately=0)
    assert ("seen" in {one.id for one in near}) is found
