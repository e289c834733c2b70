"""The canonical form: what we write others can read, and so can we."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.changes.change import ChangeEvent, ChangeKind, ChangePhase, Place
from pipelines.changes.cdevents import cloud_event
from pipelines.changes.mapping import shipped_change_mappings
from pipelines.changes.reading import events_of

WORD = st.text(alphabet="abcxyz-0123456789", min_size=1, max_size=12)
MAYBE = st.just("") | WORD
EVENTS = st.builds(
    ChangeEvent,
    source=WORD.map("/{}".format),
    id=WORD,
    subject=WORD,
    at=st.integers(0, 1_800_000_000_000),
    kind=st.sampled_from(list(ChangeKind)),
    phase=st.sampled_from(list(ChangePhase)),
    place=st.builds(Place, service=WORD, namespace=MAYBE, cluster=MAYBE, environment=MAYBE),
    version=MAYBE,
    artifact=MAYBE,
    title=MAYBE,
    actor=MAYBE,
    link=st.sampled_from(["", "https://ci.example/1"]),
)


def read(document: object) -> tuple[ChangeEvent, ...]:
    """As the door for CDEvents reads it."""
    body = json.dumps(document).encode()
    mapping = shipped_change_mappings()["cdevents"]
    return events_of(mapping, body, {}, now=1_800_000_000_000, redact=str)


@given(event=EVENTS)
def test_an_event_comes_back_from_its_canonical_form(event: ChangeEvent) -> None:
    """What one serinus exports another can import."""
    document = cloud_event(event)
    assert read(document) == (event,)
    assert read(document["data"]) == (event,)


@pytest.mark.parametrize(
    ("kind", "phase", "called"),
    [
        (ChangeKind.DEPLOYMENT, ChangePhase.SUCCEEDED, "dev.cdevents.service.deployed.0.3.0"),
        (
            ChangeKind.DEPLOYMENT,
            ChangePhase.STARTED,
            "dev.cdeventsx.serinus-deployment.started.0.1.0",
        ),
        (ChangeKind.FLAG, ChangePhase.SUCCEEDED, "dev.cdeventsx.serinus-flag.succeeded.0.1.0"),
    ],
)
def test_what_cdevents_has_a_word_for_is_told_by_it(
    kind: ChangeKind, phase: ChangePhase, called: str
) -> None:
    """Tools that know CDEvents and not us still see deployments."""
    event = ChangeEvent(
        source="/ci", id="1", subject="7", at=0, kind=kind, phase=phase,
        place=Place(service="cart", environment="prod"), artifact="pkg:oci/cart@sha256%3A1",
    )  # fmt: skip
    document = cloud_event(event)
    assert document["type"] == document["data"]["context"]["type"] == called
    assert document["data"]["subject"]["content"] == {
        "environment": {"id": "prod"},
        "artifactId": "pkg:oci/cart@sha256%3A1",
    }


def test_a_deployment_without_what_the_standard_demands_is_a_custom_event() -> None:
    """Rather than a document that a validator refuses."""
    event = ChangeEvent(
        source="/ci", id="1", subject="7", at=0, kind=ChangeKind.DEPLOYMENT,
        phase=ChangePhase.SUCCEEDED, place=Place(service="cart"),
    )  # fmt: skip
    assert cloud_event(event)["type"].startswith("dev.cdeventsx.serinus-deployment")
