"""Names and their numbers: the same for the same, bounded, and one by one what they were."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.spans.columns import NOBODY, Peer, PeerKind
from detector.spans.names import OUTSIDE, Names, NodeKind
from detector.spans.settings import OTHER, SpanSettings
from tests.detector.spans.writing import Written, columns
from tests.profiles import HEAVY

SETTINGS = SpanSettings(operations_of_service=3, idle_s=100, names=50)
WRITTEN = st.builds(
    Written,
    operation=st.sampled_from(["a", "b", "c", "d", "e"]),
    service=st.sampled_from(["web", "cart"]),
    version=st.sampled_from(["v1", "v2"]),
    pod=st.sampled_from(["p", "q"]),
    peer=st.sampled_from([NOBODY, Peer(kind=PeerKind.DATABASE, name="mysql")]),
)
VERSIONS = {
    "a version": ("2.4.0", "checkout-7d9f8c-x2x4z", "2.4.0"),
    "a deployment": ("", "checkout-7d9f8c-x2x4z", "7d9f8c"),
    "a long hash": ("", "checkout-6b54c8d9fc-k8w2d", "6b54c8d9fc"),
    "a name with dashes": ("", "checkout-api-7d9f8c-x2x4z", "7d9f8c"),
    "a stateful set": ("", "db-0", ""),
    "a host": ("", "ip-10-0-0-7.eu.internal", ""),
    "no pod": ("", "", ""),
}  # fmt: skip


def operations(names: Names, *written: Written) -> list[str]:
    """What spans are counted by."""
    numbered, _ = names.numbered(columns(written))
    listed = names.listed()[2]
    return [f"{listed[n].service}/{listed[n].name}" for n in numbered.operation]


def web(*operations: str) -> list[Written]:
    """Spans of one service."""
    return [Written(operation=one) for one in operations]


@HEAVY
@given(st.lists(st.lists(WRITTEN, min_size=1, max_size=8), max_size=6))
def test_numbers_stand_for_what_they_were_given_for(batches: list[list[Written]]) -> None:
    """However often names came before, and in whatever company."""
    names = Names(SpanSettings())
    for batch in batches:
        numbered, folded = names.numbered(columns(batch))
        origins, nodes, known = names.listed()
        assert folded == 0
        for row, one in enumerate(batch):
            assert origins[numbered.origin[row]] == one.origin
            node = nodes[numbered.node[row]]
            assert (node.kind, node.name, node.version) == (
                NodeKind.SERVICE, one.service, one.version,
            )  # fmt: skip
            operation = known[numbered.operation[row]]
            assert (operation.service, operation.name) == (one.service, one.operation)
            peer = int(numbered.peer[row])
            assert (peer == -1) == (one.peer == NOBODY)
            assert peer == -1 or nodes[peer].kind is NodeKind.DATABASE
            assert bool(numbered.is_told[row]) == (one.peer != NOBODY)


@HEAVY
@given(st.lists(st.lists(WRITTEN, min_size=1, max_size=8), max_size=6), st.integers(0, 6))
def test_names_that_were_restored_go_on_alike(batches: list[list[Written]], cut: int) -> None:
    """What is remembered to be fast is no part of what they are."""
    whole, part = Names(SETTINGS), Names(SETTINGS)
    for nth, batch in enumerate(batches):
        if nth == cut:
            again = Names(SETTINGS)
            again.restore(*part.listed())
            again.used = {service: set(used) for service, used in part.used.items()}
            again.since, part = part.since, again
        for names in (whole, part):
            names.turn(40_000 * nth)
        one, other = whole.numbered(columns(batch)), part.numbered(columns(batch))
        assert one[0].operation.tolist() == other[0].operation.tolist()
        assert one[0].node.tolist() == other[0].node.tolist()
        assert one[1] == other[1]
    assert whole.listed() == part.listed()
    assert whole.used == part.used


@pytest.mark.parametrize(("version", "pod", "expected"), VERSIONS.values(), ids=VERSIONS)
def test_a_version_that_nobody_told_is_the_hash_of_the_pods(
    version: str, pod: str, expected: str
) -> None:
    """Canary and control are told apart though both are the image `latest`."""
    names = Names(SpanSettings())
    numbered, _ = names.numbered(columns([Written(version=version, pod=pod)]))
    assert names.listed()[1][numbered.node[0]].version == expected


def test_pods_of_one_template_are_one_end() -> None:
    """A graph of pods would be no graph of services."""
    names = Names(SpanSettings())
    pods = ["web-7d9f8c-x2x4z", "web-7d9f8c-k8w2d", "web-5c4b8d-b9fqz"]
    numbered, _ = names.numbered(columns([Written(version="", pod=pod) for pod in pods]))
    assert len(set(numbered.origin.tolist())) == 3
    assert numbered.node[0] == numbered.node[1] != numbered.node[2]


def test_users_are_an_end_that_is_always_there() -> None:
    """With the number by which calls from nobody are counted."""
    assert Names(SpanSettings()).listed()[1] == [OUTSIDE]


def test_a_service_has_so_many_operations_and_then_other() -> None:
    """And whoever had a name keeps it; another service is not touched."""
    names = Names(SETTINGS)
    assert operations(names, *web("a", "b", "c", "d")) == [
        "web/a",
        "web/b",
        "web/c",
        f"web/{OTHER}",
    ]
    assert operations(names, *web("d", "a")) == [f"web/{OTHER}", "web/a"]
    assert operations(names, Written(service="cart", operation="d")) == ["cart/d"]
    assert names.numbered(columns(web("x", "x", "a")))[1] == 2


def test_a_name_of_long_ago_makes_room_and_comes_back() -> None:
    """Those in use now have names, whatever was in use an hour ago."""
    names = Names(SETTINGS)
    names.turn(100_000)
    operations(names, *web("a", "b", "c"))
    names.turn(199_000)
    assert operations(names, *web("d")) == [f"web/{OTHER}"]
    names.turn(200_000)
    assert operations(names, *web("d", "e")) == ["web/d", "web/e"]
    assert operations(names, *web("a")) == ["web/a"]
    assert operations(names, *web("f")) == [f"web/{OTHER}"]


def test_peers_are_told_apart_by_what_they_are() -> None:
    """A queue and a service of one name are two ends; one without a name is none."""
    names = Names(SpanSettings())
    peers = [Peer(kind=kind, name="orders") for kind in PeerKind]
    peers.append(Peer(kind=PeerKind.DATABASE, name=""))
    numbered, _ = names.numbered(columns([Written(peer=peer) for peer in peers]))
    assert len(set(numbered.peer.tolist())) == 4
    assert numbered.peer[-1] == -1
    kinds = [names.listed()[1][n].kind for n in numbered.peer[:3]]
    assert kinds == [NodeKind.UNSEEN, NodeKind.DATABASE, NodeKind.MESSAGING]


@pytest.mark.parametrize("field", ["pod", "service", "operation"])
def test_numbers_that_are_used_up_are_told(field: str) -> None:
    """Whoever holds them begins anew before memory is gone."""
    names = Names(replace(SETTINGS, operations_of_service=1_000))
    assert not names.is_full
    names.numbered(columns([Written(**{field: f"n{n}"}) for n in range(51)]))  # type: ignore[arg-type]
    assert names.is_full


def test_many_names_and_few_spans_are_looked_up_by_spans() -> None:
    """A message that names a thousand origins and operations takes no table of a million."""
    names = Names(SpanSettings())
    written = [
        Written(pod=f"p{n}", service=f"s{n}", operation=f"o{n}", span=n + 1) for n in range(400)
    ]
    assert operations(names, *written) == [f"s{n}/o{n}" for n in range(400)]
