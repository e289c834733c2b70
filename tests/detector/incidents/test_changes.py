"""Changes are found by service and time as a look at all of them finds them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detector.changes.change import Change
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
