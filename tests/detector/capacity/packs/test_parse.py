"""Capacity packs: what can be said, what is refused by name, and that ours are sound."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from detector.capacity.packs import CapacityPack, Fold, parse_capacity_pack, shipped_capacity
from detector.capacity.packs.fill import names_in, rated
from detector.capacity.packs.sense import flaw_of
from detector.capacity.resource import Kind
from detector.capacity.units import shown
from detector.errors import ConfigError

OWN = {
    "name": "seats",
    "title": "Seats",
    "published": "https://example.org",
    "parts": {"by": "max by (cluster, ${key})", "key": "licence"},
    "resources": [
        {
            "name": "sold",
            "kind": "licences",
            "unit": "seats",
            "needs": ["crm_seats_used"],
            "usage": "${by} (crm_seats_used)",
            "limit": 500,
        }
    ],
}


def parsed(**changes: object) -> CapacityPack:
    """The pack above with other keys."""
    return parse_capacity_pack(yaml.safe_dump(OWN | changes), origin="own.yaml")


def changed(**changes: object) -> CapacityPack:
    """The pack above with another resource."""
    return parsed(resources=[OWN["resources"][0] | changes])  # type: ignore[index]


def queries() -> Iterator[tuple[str, str]]:
    """Every query that we ship, by its place."""
    for pack in shipped_capacity():
        for one in pack.resources:
            for name in ("usage", "limit", "requested", "replicas"):
                if isinstance(query := getattr(one, name), str):
                    yield f"{pack.name}.{one.name}.{name}", query
        for driver in pack.drivers:
            yield f"{pack.name}.{driver.name}", driver.query


def test_parts_are_written_into_queries() -> None:
    """A pack repeats nothing, and its reader sees whole queries."""
    (one,) = parsed().resources
    assert one.usage == "max by (cluster, licence) (crm_seats_used)"
    assert (one.kind, one.limit, one.hour) == (Kind.LICENCES, 500.0, Fold.MAX)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "Seats!"}, "name: 'Seats!' is no name"),
        ({"resources": []}, "resources: 'seats' has none"),
        ({"resources": OWN["resources"] * 2}, "resources[1].name: 'sold' is there already"),  # type: ignore[operator]
        ({"parts": {"rate": "5m"}}, "parts.rate: the window of rates is called that"),
        ({"parts": {}}, "resources[0].usage: there is no part 'by'; there are rate"),
        ({"colour": "red"}, "unknown field `colour`"),
        (
            {"drivers": [{"needs": [], "query": "sum(rate(a_total[1m]))"}]},
            "drivers[0].needs: say which metrics",
        ),
    ],
    ids=["name", "none", "twice", "rate", "part", "unknown", "driver"],
)
def test_a_pack_that_makes_no_sense_is_refused_by_name(
    changes: dict[str, object], told: str
) -> None:
    """Whoever writes a pack reads which key is wrong."""
    with pytest.raises(ConfigError, match=re.escape(told)) as refused:
        parsed(**changes)
    assert str(refused.value).startswith("own.yaml: ")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"unit": " "}, "resources[0].unit: say in what"),
        ({"needs": []}, "resources[0].needs: say which metrics"),
        ({"limit": 0}, "resources[0].limit: 0.0 is no limit"),
        ({"limit": "max(a"}, "resources[0].limit: brackets do not match"),
        ({"usage": "sum(sold_total)"}, "the counter 'sold_total' is read by rate()"),
        ({"driven": True}, "resources[0].driven: the pack names no drivers"),
        ({"kind": "wishes"}, "resources[0].kind: Invalid enum value 'wishes'"),
        ({"hour": "median"}, "resources[0].hour: Invalid enum value 'median'"),
        ({"usage": ""}, "resources[0].usage: is empty"),
    ],
)
def test_a_resource_that_makes_no_sense_is_refused_by_name(
    changes: dict[str, object], told: str
) -> None:
    """A counter that is read as it stands would look like a disk that fills."""
    with pytest.raises(ConfigError, match=re.escape(told)):
        changed(**changes)


@pytest.mark.parametrize("text", ["", "- a", "a: [", "a: !!python/object:os.system x"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    """Nothing in a file is run, and the file is named."""
    with pytest.raises(ConfigError, match=r"^own\.yaml: "):
        parse_capacity_pack(text, origin="own.yaml")


@given(st.text(max_size=200))
def test_no_text_by_chance_is_a_pack(text: str) -> None:
    """It is refused with its origin, and raises nothing else."""
    told = ""
    try:
        parse_capacity_pack(text, origin="x")
    except ConfigError as error:
        told = str(error)
    assert told.startswith("x: ")


@given(st.text(alphabet='()[]{}"\\ab_total rate,', max_size=40))
def test_a_query_in_brackets_is_as_sound_as_without(query: str) -> None:
    """Strings and brackets are told apart the same wherever they stand."""
    bare, inside = flaw_of(f"a {query}"), flaw_of(f"max(a {query})")
    if bare is None:
        assert inside is None


def test_shipped_packs_have_names_and_units_of_their_own() -> None:
    """A resource is told by pack and name; its unit can be shown."""
    packs = shipped_capacity()
    names = [f"{pack.name}.{one.name}" for pack in packs for one in pack.resources]
    assert len(set(names)) == len(names) >= 20
    assert all(shown(1.0, one.unit) for pack in packs for one in pack.resources)
    assert all(pack.published.startswith("https://") for pack in packs)


def test_shipped_queries_are_whole() -> None:
    """Nothing is left to be filled in but the window of rates."""
    for place, query in queries():
        assert set(names_in(query)) <= {"rate"}, place
        assert flaw_of(rated(query, 300)) is None, place


def test_what_a_resource_needs_is_in_its_usage() -> None:
    """A pack that looks for other metrics than it reads would apply where it finds nothing."""
    for pack in shipped_capacity():
        for one in pack.resources:
            said = " ".join(str(q) for q in (one.usage, one.limit))
            assert all(metric in said for metric in one.needs), (pack.name, one.name)


def test_titles_name_labels_that_the_usage_has() -> None:
    """A title with a label that is never there would name nothing."""
    for pack in shipped_capacity():
        for one in pack.resources:
            for label in re.findall(r"\{(\w+)\}", one.title):
                assert label in one.usage, (pack.name, one.name)


def test_kubernetes_is_read_by_workload_and_container() -> None:
    """Golden: what a person may run by hand to see what serinus sees."""
    (pack,) = (one for one in shipped_capacity() if one.name == "kubernetes_workloads")
    cpu = {one.name: one for one in pack.resources}["cpu"]
    assert rated(cpu.usage, 300).startswith(
        "max by (cluster, namespace, workload, container) (max by (cluster, namespace, pod, "
        'container) (rate(container_cpu_usage_seconds_total{container!="", container!="POD"}'
        "[300s])) * on (cluster, namespace, pod) group_left (workload)"
    )
    assert cpu.driven
    assert pack.service == ("workload",)
