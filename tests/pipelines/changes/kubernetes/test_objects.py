"""Single objects: scaling, configuration, nodes, releases, and who wrote what."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.changes.change import ChangeKind, ChangePhase, change_of
from pipelines.changes.kubernetes.configuration import configured, unconfigured
from pipelines.changes.kubernetes.helm import release_events, release_gone
from pipelines.changes.kubernetes.nodes import node_events, node_left
from pipelines.changes.kubernetes.objects import Hpa, Meta, Node, Thing, Workload, written
from pipelines.changes.kubernetes.rollouts import workload_of
from pipelines.changes.kubernetes.scaling import limits_changed, scaled
from pipelines.changes.kubernetes.telling import service_of, version_of
from tests.pipelines.changes.kubernetes.shown import TELLING, Raw, at, ms, note, read, rolled, thing


def meta(name: str = "pool", created: float = -10_000, **more: object) -> Meta:
    """Metadata alone."""
    return read(thing(name, created, **more), Thing).metadata


def test_the_latest_note_of_a_field_counts() -> None:
    """Whoever wrote it; the status is another thing."""
    notes = [
        note(1, "f:data/f:pool", manager="helm"),
        note(3, "f:data", manager="kubectl-edit"),
        note(9, "f:data", subresource="status"),
        note(8, "f:metadata/f:labels"),
    ]
    wrote = written(meta(managedFields=notes), "f:data", "f:binaryData")
    assert wrote is not None
    assert (wrote.at, wrote.by) == (ms(3), "kubectl-edit")


@pytest.mark.parametrize(
    "notes",
    [None, [], [{"manager": "a"}], [{"manager": "a", "time": "soon", "fieldsV1": {"f:data": {}}}],
     [{"manager": "a", "time": at(1), "fieldsV1": []}],
     [{"manager": "a", "time": at(1), "fieldsV1": {"f:data": 3}}]],
    ids=["null", "none", "no time", "odd time", "list", "number"],
)  # fmt: skip
def test_odd_notes_are_none_of_a_nested_field(notes: object) -> None:
    """An aggregated API server may leave them out or write its own."""
    assert written(meta(managedFields=notes), "f:data/f:pool") is None


def test_a_config_map_that_is_written_is_a_change_of_its_service() -> None:
    """When and by whom its metadata say; its content is not asked for."""
    notes = [note(2, "f:data/f:pool", manager="kubectl-edit")]
    (told,) = configured(TELLING, "config map", meta(managedFields=notes, labels={"app": "cart"}))
    assert (told.kind, told.at, told.actor) == (ChangeKind.CONFIG, ms(2), "kubectl-edit")
    assert (told.place.service, told.title) == ("cart", "config map pool was changed")


@pytest.mark.parametrize(
    "silent",
    [
        meta(managedFields=[note(2, "f:metadata/f:labels")]),
        meta(created=2, managedFields=[note(2, "f:data")]),
        meta(managedFields=[note(-900, "f:data")]),
        meta(
            managedFields=[note(2, "f:data")],
            annotations={"control-plane.alpha.kubernetes.io/leader": "{}"},
        ),
    ],
    ids=["labelled", "made", "of before", "a lead"],
)
def test_a_config_map_whose_content_stays_is_no_change(silent: Meta) -> None:
    """A label, a new one, what was before, and who leads are no news."""
    assert configured(TELLING, "config map", silent) == ()


def test_a_config_map_that_goes_is_a_change() -> None:
    """Pods that start read it."""
    (told,) = unconfigured(TELLING, "config map", meta(), ms(1))
    assert (told.kind, told.place.service) == (ChangeKind.CONFIG, "")


def test_scaling_is_told_as_of_the_subresource() -> None:
    """A restart knows when it was, and by whom."""
    noted = note(5, "f:spec/f:replicas", manager="kube-controller-manager", subresource="scale")
    found = read(rolled(1, replicas=7, managedFields=[noted]), Workload)
    rollout = workload_of("deployment", found)
    (told,) = scaled(TELLING, None, rollout, found.metadata, ms(9))
    assert (told.kind, told.at) == (ChangeKind.SCALING, ms(5))
    assert told.title == "deployment cart was scaled to 7"
    assert scaled(TELLING, rollout, rollout, found.metadata, ms(30)) == (told,)


def test_scaling_without_the_subresource_shows_against_before() -> None:
    """`kubectl apply` with another number."""
    few = workload_of("deployment", read(rolled(1, replicas=2), Workload))
    found = read(rolled(1, replicas=5, generation=4), Workload)
    many = workload_of("deployment", found)
    (told,) = scaled(TELLING, few, many, found.metadata, ms(9))
    assert (told.at, told.title) == (ms(9), "deployment cart was scaled from 2 to 5")
    assert told.id == "uid-cart/scaled/4"
    assert scaled(TELLING, None, many, found.metadata, ms(9)) == ()
    assert scaled(TELLING, many, many, found.metadata, ms(9)) == ()


def test_other_limits_of_an_autoscaler_are_told() -> None:
    """It scales otherwise from then on; that it scales is its status."""
    target = {"kind": "Deployment", "name": "cart"}
    spec = {"scaleTargetRef": target, "maxReplicas": 9}
    notes = [note(4, "f:spec/f:maxReplicas"), note(8, "f:status", subresource="status")]
    raw = thing("cart-hpa", managedFields=notes, spec=spec)
    (told,) = limits_changed(TELLING, read(raw, Hpa))
    assert (told.at, told.place.service) == (ms(4), "cart")
    assert told.title == "autoscaler cart-hpa of cart: 1 to 9 pods"
    new = thing("cart-hpa", created=4, managedFields=notes, spec=spec)
    assert limits_changed(TELLING, read(new, Hpa)) == ()


def node(created: float = -10_000, ready: str = "True", since: float = -9_000, **more: Raw) -> Node:
    """A machine."""
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": at(since)}
    return read(thing("n1", created, status={"conditions": [condition]}, **more), Node)


def test_a_node_that_is_not_ready_is_a_change_until_it_is() -> None:
    """Its pods move, and what was on it is slow."""
    (down,) = node_events(TELLING, node(ready="Unknown", since=3), False, ms(9))
    (up,) = node_events(TELLING, node(ready="True", since=7), False, ms(9))
    change = change_of((up, down))
    assert (change.started_at, change.ended_at) == (ms(3), ms(7))
    assert (change.kind, change.place.service) == (ChangeKind.NODE, "")


def test_a_node_joins_once() -> None:
    """That it becomes ready a minute later belongs to it."""
    assert [one.title for one in node_events(TELLING, node(2, since=3), False, ms(9))] == [
        "node n1 joined"
    ]
    assert node_events(TELLING, node(), False, ms(9)) == []


def test_a_node_is_cordoned_and_is_not() -> None:
    """As before an upgrade."""
    cordoned = node(spec={"unschedulable": True})
    (begun,) = node_events(TELLING, cordoned, True, ms(2))
    (ended,) = node_events(TELLING, node(), True, ms(8))
    assert (begun.phase, ended.phase) == (ChangePhase.STARTED, ChangePhase.SUCCEEDED)
    assert begun.subject == ended.subject


def test_a_node_that_leaves_is_a_change() -> None:
    """Its pods are elsewhere now."""
    (told,) = node_left(TELLING, node().metadata, ms(1))
    assert (told.title, told.at) == ("node n1 left", ms(1))


def release(status: str, *, number: int = 2, created: float = 1, **labels: str) -> Meta:
    """A revision of a release, as Helm keeps it."""
    named = {"owner": "helm", "name": "shop", "version": str(number), "status": status}
    return meta(f"sh.helm.release.v1.shop.v{number}", created, labels={**named, **labels})


def stamp(minutes: float) -> str:
    """As Helm writes a moment."""
    return str(ms(minutes) // 1000)


@pytest.mark.parametrize(
    ("status", "phase"),
    [("deployed", ChangePhase.SUCCEEDED), ("failed", ChangePhase.FAILED)],
)
def test_an_upgrade_begins_and_ends(status: str, phase: ChangePhase) -> None:
    """As its labels say."""
    begun = release_events(TELLING, release("pending-upgrade"))
    ended = release_events(TELLING, release(status, modifiedAt=stamp(3)))
    change = change_of((*begun, *ended))
    assert (change.kind, change.phase) == (ChangeKind.DEPLOYMENT, phase)
    assert (change.started_at, change.ended_at) == (ms(1), ms(3))
    assert (change.place.service, change.version) == ("shop", "2")


def test_a_rollback_of_a_release_stays_one() -> None:
    """Its last status does not say so any more."""
    begun = release_events(TELLING, release("pending-rollback"))
    ended = release_events(TELLING, release("deployed", modifiedAt=stamp(3)))
    assert change_of((*begun, *ended)).kind is ChangeKind.ROLLBACK


def test_a_release_is_uninstalled() -> None:
    """Helm deletes its Secrets at the end of it; else it only forgets old revisions."""
    going = release("uninstalling", created=-900, modifiedAt=stamp(5))
    (begun,) = release_events(TELLING, going)
    (ended,) = release_gone(TELLING, going, ms(6))
    change = change_of((begun, ended))
    assert (change.kind, change.started_at, change.ended_at) == (
        ChangeKind.REMOVAL,
        ms(5),
        ms(6),
    )
    assert release_gone(TELLING, release("superseded"), ms(6)) == ()


@pytest.mark.parametrize(
    "silent",
    [
        release("superseded", created=-900, modifiedAt=stamp(3)),
        release("deployed", created=-900, modifiedAt=stamp(-899)),
        release("deployed", owner="somebody"),
        release("deployed", name=""),
    ],
    ids=["superseded", "of before", "not Helm's", "no name"],
)
def test_what_is_no_news_of_a_release_is_not_told(silent: Meta) -> None:
    """Each upgrade writes the Secret of the one before, too."""
    assert release_events(TELLING, silent) == ()


WORDS = st.text(max_size=20)


@given(st.dictionaries(st.sampled_from(["app", "app.kubernetes.io/name", "x"]), WORDS), WORDS)
def test_a_service_is_a_label_or_the_name(labels: dict[str, str], name: str) -> None:
    """Never something else, and never nothing where there is a name."""
    found = service_of(None, labels, otherwise=name)
    assert found in {*labels.values(), name}
    assert found or not name


@given(WORDS)
def test_any_image_has_some_version(image: str) -> None:
    """Or an empty one; it breaks nothing."""
    assert version_of({}, (image,)) in image
    assert version_of({"app.kubernetes.io/version": "2.0"}, (image,)) == "2.0"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | WORDS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(["metadata", "spec", "status"]),
)
def test_an_object_of_any_form_is_read_or_refused(value: object, part: str) -> None:
    """A server of another version cannot end the watch."""
    raw = rolled(2)
    raw[part] = value
    try:
        found = msgspec.json.decode(msgspec.json.encode(raw), type=Workload)
    except msgspec.ValidationError:
        return
    assert workload_of("deployment", found).phase in ChangePhase
