"""Capacity packs from files beside the shipped ones, and what is sought by them."""

from __future__ import annotations

import sys
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from detector.capacity.packs import shipped_capacity
from detector.capacity.resource import Kind
from detector.errors import ConfigError
from pipelines.capacity.packs import load_capacity_packs, read_capacity_pack
from pipelines.capacity.wanted import ByHand, Wanted, sought

OURS = """\
name: ours
title: Ours
published: https://example.org
resources:
  - {name: seats, kind: licences, unit: seats, needs: [seats_used],
     usage: 'rate(seats_total[${rate}])', limit: 5}
"""


def written(folder: Path, text: str, name: str = "ours.yaml") -> Path:
    """A file with a pack."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_shipped_packs_need_no_file() -> None:
    """Day one: nothing is configured."""
    assert load_capacity_packs() == shipped_capacity()


def test_own_packs_come_first_and_replace_ours(tmp_path: Path) -> None:
    """A team that means another limit than we do can say so."""
    written(tmp_path, OURS)
    written(tmp_path, OURS.replace("name: ours", "name: redis"), "redis.yaml")
    packs = load_capacity_packs([tmp_path])
    assert [pack.name for pack in packs][:2] == ["ours", "redis"]
    assert [pack.title for pack in packs if pack.name == "redis"] == ["Ours"]


def test_a_folder_without_packs_is_refused(tmp_path: Path) -> None:
    """A mount that is not there yet would pass for resources that are not there."""
    with pytest.raises(ConfigError, match=r"no file there ends in \.yaml or \.yml"):
        load_capacity_packs([tmp_path])


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    """Which of the two holds would be chance."""
    files = [written(tmp_path, OURS), written(tmp_path, OURS, "again.yaml")]
    with pytest.raises(ConfigError, match=r"again\.yaml: the capacity pack 'ours' is in .*ours"):
        load_capacity_packs(files)


def test_a_file_that_is_not_there_or_no_pack_is_named(tmp_path: Path) -> None:
    """A typing error in the configuration is no traceback."""
    with pytest.raises(ConfigError, match=r"gone\.yaml: cannot be read"):
        load_capacity_packs([tmp_path / "gone.yaml"])
    with pytest.raises(ConfigError, match=r"odd\.yaml: .*`title`"):
        load_capacity_packs([written(tmp_path, "name: odd", "odd.yaml")])


def test_a_file_is_of_capacity_or_of_the_gate_by_its_keys() -> None:
    """One command tries both, and complains in the words of the right one."""
    for package, is_one in (("detector.capacity.packs", True), ("detector.signals.packs", False)):
        shipped = [one for one in files(package).iterdir() if one.name.endswith(".yaml")]
        assert shipped
        for entry in shipped:
            with as_file(entry) as file:
                assert (read_capacity_pack(file) is not None) == is_one, entry.name


@pytest.mark.parametrize("text", ["", "- 1", "name: a", "resources: 3", "a: [", "resources: [1]"])
def test_what_is_neither_is_left_to_the_gate(text: str, tmp_path: Path) -> None:
    """Whose reader says what is wrong with it."""
    assert read_capacity_pack(written(tmp_path, text)) is None


def test_a_slip_in_a_capacity_pack_is_told_as_one(tmp_path: Path) -> None:
    """And not as keys that a pack of the gate has not."""
    with pytest.raises(ConfigError, match=r"ours\.yaml: .*unknown field `lim`"):
        read_capacity_pack(written(tmp_path, OURS.replace("limit: 5", "lim: 5")))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_capacity_pack(tmp_path / "gone.yaml")


def installed(folder: Path, *, named: str) -> None:
    """A distribution of somebody else that names a package of packs."""
    package = folder / "their_capacity"
    package.mkdir()
    (package / "__init__.py").touch()
    written(package, OURS.replace("name: ours", "name: theirs"))
    told = folder / "theirs-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text(f"[serinus.capacity]\ntheirs = {named}\n")


def test_plug_ins_bring_packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor ships the pack of its exporter."""
    installed(tmp_path, named="their_capacity")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_capacity_packs()[0].name == "theirs"
    sys.modules.pop("their_capacity", None)


def test_a_plug_in_that_cannot_be_loaded_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its operator reads which one."""
    installed(tmp_path, named="no_such_package")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=r"plug-in 'theirs' .* cannot be loaded"):
        load_capacity_packs()


def test_rates_have_the_window_of_the_configuration(tmp_path: Path) -> None:
    """Who scrapes every five minutes needs a longer one."""
    packs = load_capacity_packs([written(tmp_path, OURS)])[:1]
    (one,) = sought(Wanted(packs=packs, rate_s=900), frozenset({"seats_used"}))
    assert one.measured.usage == "rate(seats_total[900s])"
    assert (one.name, one.limit) == ("ours.seats", 5.0)
    assert sought(Wanted(packs=packs), frozenset()) == []


def test_what_a_person_set_is_sought_whatever_there_is() -> None:
    """A query of one's own that finds nothing is said, not skipped."""
    own = ByHand(name="s", kind=Kind.OTHER, unit="x", usage="a", limit="b[${rate}]", driver="c")
    (one,) = sought(Wanted(by_hand=(own,)), frozenset())
    assert (one.name, one.limit, one.drivers[0].query) == ("s", "b[300s]", "c")
