"""Deliveries of a time are found with what came before and after, over all pages."""

from __future__ import annotations

from dataclasses import replace

from detector.changes.change import Change, ChangeKind
from detector.delivery.deployments import Failure
from detector.incidents.record import IncidentFilter, IncidentPage, KeptIncident, Said
from pipelines.flows.delivery import Delivered, delivered
from pipelines.stores.memory_changes import MemoryChanges
from tests.detector.delivery.test_deployments import HOUR, incident_of, made
from tests.detector.incidents.making import T0


class Incidents:
    """A store of one page for each."""

    def __init__(self, *kept: KeptIncident) -> None:
        self.kept = kept

    def get(self, tenant: str, id: str) -> KeptIncident:
        """By id."""
        return next(one for one in self.kept if one.incident.id == id)

    def list(self, wanted: IncidentFilter) -> IncidentPage:
        """One at a time."""
        place = int(wanted.after or 0)
        more = str(place + 1) if place + 1 < len(self.kept) else None
        return IncidentPage(incidents=self.kept[place : place + 1], next=more)

    def say(self, tenant: str, id: str, said: Said) -> KeptIncident:
        """Nobody does."""
        raise NotImplementedError


def asked(
    *changes: Change, incidents: Incidents | None = None, service: str | None = None
) -> Delivered:
    """Of the ten hours from T0 on."""
    log = MemoryChanges()
    for change in changes:
        log.add("default", change.events)
    return delivered(
        log, incidents, tenant="default", service=service, since=T0, until=T0 + 10 * HOUR
    )


def test_all_pages_are_read() -> None:
    """A busy month is more than a page."""
    every = [made(n / 60) for n in range(450)]
    assert len(asked(*every).deployments) == 450


def test_a_merge_of_before_and_a_rollback_of_after_are_seen() -> None:
    """They say how those of the time went, and are not counted in it."""
    merge = made(-100, ChangeKind.MERGE, version="abcdefg")
    back = made(12, ChangeKind.ROLLBACK)
    (one,) = asked(merge, made(9, version="abcdefg"), back, made(-3), made(13)).deployments
    assert (one.lead_ms, one.failures) == (109 * HOUR, (Failure.ROLLED_BACK,))


def test_incidents_of_every_page_are_blamed() -> None:
    """Each on its own deployment."""
    first, second = made(1), made(5, service="web")
    kept = Incidents(incident_of(first), incident_of(second))
    found = asked(first, second, incidents=kept).deployments
    assert [one.failures for one in found] == [(Failure.INCIDENT,)] * 2


def test_one_service_is_asked_for_alone() -> None:
    """A team looks at its own."""
    found = asked(made(1), made(2, service="web"), service="web")
    assert [one.service for one in found.deployments] == ["web"]


def test_where_there_are_no_incidents_it_is_said() -> None:
    """A rate without them is too low."""
    assert "no incidents" in asked(made(1)).notes[0]
    assert asked(made(1), incidents=Incidents()).notes == ()


def test_of_another_tenant_nothing_is_told() -> None:
    """Nor counted."""
    log = MemoryChanges()
    log.add("other", made(1).events)
    found = delivered(log, None, tenant="default", service=None, since=T0, until=T0 + 10 * HOUR)
    assert found.deployments == ()
    assert replace(found, notes=()) == Delivered(deployments=(), notes=())


def test_a_log_that_began_later_says_so() -> None:
    """Three deployments of today are not one a month of a quarter in which nobody told any."""
    log = MemoryChanges()
    log.add("default", made(9 * 24).events)

    def notes(since: int) -> tuple[str, ...]:
        found = delivered(
            log, Incidents(), tenant="default", service=None, since=since, until=T0 + 240 * HOUR
        )
        return found.notes

    assert notes(T0) == (
        "The oldest change that is known is of 2026-09-30: of the time before it nothing is.",
    )
    assert notes(T0 + 8 * 24 * HOUR) == ()
