"""Which changes are deployments, which of them failed and why, and when that was mended."""

from __future__ import annotations

from dataclasses import replace
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.changes.change import (
    Change,
    ChangeEvent,
    ChangeKind,
    ChangePhase,
    Place,
    change_of,
)
from detector.delivery.deployments import Deployment, Failure, deployments_of
from detector.incidents.correlator import Correlator
from detector.incidents.record import KeptIncident, Said, SaidKind
from tests.detector.incidents.making import CALLS, MINUTE, T0, symptom

HOUR = 60 * MINUTE


def made(
    hour: float,
    kind: ChangeKind = ChangeKind.DEPLOYMENT,
    *,
    phase: ChangePhase = ChangePhase.SUCCEEDED,
    version: str = "",
    service: str = "cart",
    environment: str = "",
    lasts: float = 0.0,
) -> Change:
    """A change that began at an hour, and ended."""
    begun = ChangeEvent(
        source="/argo", id=f"{service}/{hour}/{kind}/start", subject=f"{service}/{hour}/{kind}",
        at=T0 + round(HOUR * hour), kind=kind, phase=ChangePhase.STARTED, version=version,
        place=Place(service=service, environment=environment),
    )  # fmt: skip
    at = T0 + round(HOUR * (hour + lasts))
    return change_of([begun, replace(begun, id=f"{begun.id}/end", at=at, phase=phase)])


def incident_of(change: Change, *said: Said, minutes: float = 30) -> KeptIncident:
    """One that began two minutes after a deployment, and lasted."""
    correlator = Correlator.fresh("default", T0 - 10_000 * HOUR)
    correlator.calls = CALLS
    correlator.changed([change], T0)
    at = (change.started_at - T0) / MINUTE + 2
    end = T0 + round(MINUTE * (at + minutes))
    correlator.feed([symptom(change.place.service, at, end=end)], end)
    correlator.tick(end + 10 * MINUTE)
    return KeptIncident(incident=correlator.incidents[0], said=said)


def said(kind: SaidKind, change: str | None = None) -> Said:
    """By a person."""
    return Said(at=T0, kind=kind, person="ada", change=change)


def only(*changes: Change) -> Deployment:
    """The first deployment of some changes."""
    return deployments_of(changes, ())[0]


def test_a_deployment_counts_when_it_ended() -> None:
    """One that nobody ended counts when it began."""
    assert only(made(1, lasts=0.5)).at == T0 + round(1.5 * HOUR)
    lasting = made(1, phase=ChangePhase.STARTED)
    assert only(lasting).at == T0 + HOUR


@pytest.mark.parametrize(
    ("environment", "count"),
    [("", 1), ("production", 1), ("Prod", 1), ("staging", 0), ("pr-17", 0)],
)
def test_only_production_counts(environment: str, count: int) -> None:
    """Where somebody tells the environment."""
    assert len(deployments_of([made(1, environment=environment)], ())) == count


@pytest.mark.parametrize("kind", [ChangeKind.CONFIG, ChangeKind.MERGE, ChangeKind.ROLLBACK])
def test_other_changes_are_no_deployments(kind: ChangeKind) -> None:
    """Nor is a rollback that somebody told as such."""
    assert deployments_of([made(1, kind)], ()) == ()


def test_lead_time_is_from_the_first_merge_of_the_version() -> None:
    """By the first digits of the commit, which each tool cuts elsewhere."""
    merges = [
        made(hour, ChangeKind.MERGE, version=version)
        for hour, version in ((0, "abc1234"), (1, "abc1234f"), (2, "ffffffff"))
    ]
    deployed = made(5, version="abc1234ffff")
    found = deployments_of([*merges, deployed], ())[0]
    assert found.lead_ms == 5 * HOUR
    assert only(made(5, version="other")).lead_ms is None


def test_one_that_failed_by_itself_is_mended_by_the_next_that_goes_well() -> None:
    """Whatever failed in between."""
    failed = made(1, phase=ChangePhase.FAILED)
    again = made(2, phase=ChangePhase.FAILED)
    found = deployments_of([failed, again, made(4)], ())
    assert [one.failures for one in found] == [(Failure.FAILED,), (Failure.FAILED,), ()]
    assert found[0].mended[0].end == T0 + 4 * HOUR


def test_one_that_is_rolled_back_soon_has_failed() -> None:
    """A rollback of a week later, or after another deployment, is none of it."""
    back = made(3, ChangeKind.ROLLBACK)
    found = only(made(1), back)
    assert found.failures == (Failure.ROLLED_BACK,)
    assert (found.mended[0].began, found.mended[0].end) == (T0 + HOUR, T0 + 3 * HOUR)
    assert not only(made(1), made(40, ChangeKind.ROLLBACK)).has_failed
    assert not only(made(1), made(2), back).has_failed


def test_a_deployment_that_is_taken_back_under_its_own_name_was_rolled_back() -> None:
    """Argo CD tells the way back as the same application's next sync."""
    begun = made(1).events[0]
    back = replace(begun, id="back", at=T0 + 2 * HOUR, kind=ChangeKind.ROLLBACK)
    found = only(change_of([begun, back]))
    assert found.failures == (Failure.ROLLED_BACK,)


def test_one_that_an_incident_comes_of_has_failed_until_that_is_over() -> None:
    """By its timing, where nobody said anything."""
    change = made(1)
    kept = incident_of(change)
    (found,) = deployments_of([change], [kept])
    assert found.failures == (Failure.INCIDENT,)
    assert found.mended[0].what == kept.incident.id
    assert found.mended[0].end == kept.incident.resolved_at


def test_what_people_said_counts_for_more_than_what_is_likely() -> None:
    """The last of it."""
    change, other = made(1), made(-9, service="db")
    denied = incident_of(change, said(SaidKind.CAUSED_BY, change.id), said(SaidKind.NO_CHANGE))
    assert not deployments_of([change], [denied])[0].has_failed
    moved = incident_of(change, said(SaidKind.CAUSED_BY, other.id))
    found = deployments_of([change, other], [moved])
    assert [one.has_failed for one in found] == [True, False]
    assert found[0].service == "db"


CHANGES = st.lists(
    st.builds(
        made,
        st.integers(-50, 50),
        st.sampled_from([ChangeKind.DEPLOYMENT, ChangeKind.ROLLBACK, ChangeKind.MERGE]),
        phase=st.sampled_from(list(ChangePhase)),
        version=st.sampled_from(["", "abcdefg", "hijklmn"]),
        service=st.sampled_from(["cart", "web", ""]),
    ),
    max_size=12,
    unique_by=lambda change: change.id,
)


@given(CHANGES, st.randoms(use_true_random=False))
def test_the_order_in_which_they_are_told_changes_nothing(
    changes: list[Change], draw: object
) -> None:
    """A page of the log may begin anywhere."""
    shuffled = sorted(changes, key=lambda _: draw.random())  # type: ignore[attr-defined]
    assert deployments_of(changes, ()) == deployments_of(shuffled, ())


@given(CHANGES)
def test_services_are_counted_apart(changes: list[Change]) -> None:
    """What happens to one is nothing of another's."""
    every = deployments_of(changes, ())
    for service in ("cart", "web", ""):
        own = [change for change in changes if change.place.service == service]
        assert [one for one in every if one.service == service] == list(deployments_of(own, ()))


@given(CHANGES)
def test_what_failed_was_wrong_and_what_went_well_was_not(changes: list[Change]) -> None:
    """Ends are not before begins."""
    for one in deployments_of(changes, ()):
        assert bool(one.mended) is one.has_failed
        assert all(m.end is None or m.end >= m.began for m in one.mended)
        assert one.lead_ms is None or one.lead_ms >= 0


@given(CHANGES)
def test_leads_and_ends_are_as_if_each_change_was_looked_through(changes: list[Change]) -> None:
    """What is found by an index is what is found by reading the log line by line."""
    by_id = {change.id: change for change in changes}
    for one in deployments_of(changes, ()):
        mine = [other for other in changes if other.place.service == one.service]
        merges = [
            other.started_at
            for other in mine
            if other.kind is ChangeKind.MERGE and other.version and other.version == one.version
        ]
        begun = [at for at in merges if at <= one.at]
        assert one.lead_ms == (one.at - min(begun) if begun else None)
        if one.failures == (Failure.FAILED,):
            ends = [
                other.ended_at or other.started_at
                for other in mine
                if other.kind is ChangeKind.DEPLOYMENT and other.phase is ChangePhase.SUCCEEDED
            ]
            later = [end for end in ends if end > one.at]
            assert one.mended[0].end == min(later, default=None)
            assert by_id[one.change].started_at == one.mended[0].began


def test_a_year_of_a_service_that_is_deployed_often_is_counted_at_once() -> None:
    """A page is not to hang on it: 2,000 deployments with their merges took 11 seconds."""
    changes = [
        made(0.5 * number - lead, kind, version=f"{number:07}")
        for number in range(4000)
        for kind, lead in ((ChangeKind.MERGE, 5), (ChangeKind.DEPLOYMENT, 0))
    ]
    began = process_time()
    assert len(deployments_of(changes, ())) == 4000
    assert process_time() - began < 3.0
