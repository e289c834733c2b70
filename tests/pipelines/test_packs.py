"""Packs from files: people's own beside the shipped ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.errors import ConfigError
from detector.signals.packs import shipped_packs
from pipelines.packs import load_packs

OURS = """\
name: ours
title: Our own framework
published: https://example.com/metrics
requests:
  - metric: shop_calls_total
    errors: {labels: [result], match: failed}
"""


def written(folder: Path, text: str, name: str = "ours.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_shipped_packs_need_no_file() -> None:
    """Day one: nothing is configured."""
    assert load_packs() == shipped_packs()


def test_own_packs_come_first(tmp_path: Path) -> None:
    """Where two fit equally a team's own word about its metrics holds."""
    packs = load_packs([written(tmp_path, OURS)])
    assert [pack.name for pack in packs] == ["ours", *(pack.name for pack in shipped_packs())]


def test_an_own_pack_replaces_ours_of_its_name(tmp_path: Path) -> None:
    """A team that means other codes than we do can say so."""
    packs = load_packs([written(tmp_path, OURS.replace("name: ours", "name: istio"))])
    assert [pack.title for pack in packs if pack.name == "istio"] == ["Our own framework"]


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    """Which of the two holds would be chance."""
    files = [written(tmp_path, OURS), written(tmp_path, OURS, "again.yaml")]
    with pytest.raises(ConfigError, match=r"again\.yaml: the pack 'ours' is in .*ours\.yaml"):
        load_packs(files)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A typing error in the configuration is no traceback."""
    with pytest.raises(ConfigError, match=r"gone\.yaml: cannot be read: No such file"):
        load_packs([tmp_path / "gone.yaml"])


def test_a_slip_names_its_file(tmp_path: Path) -> None:
    """Of many packs the person reads which one to mend."""
    with pytest.raises(ConfigError, match=r"ours\.yaml: unknown key titel"):
        load_packs([written(tmp_path, OURS.replace("title", "titel"))])


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """An archive given by mistake."""
    file = tmp_path / "ours.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read: it is not UTF-8"):
        load_packs([file])


def test_an_endless_file_is_not_read(tmp_path: Path) -> None:
    """A log given by mistake does not fill the memory."""
    with pytest.raises(ConfigError, match="over 1,048,576 bytes"):
        load_packs([written(tmp_path, "#" * (1 << 20) + "\n")])


def test_a_folder_of_packs_is_read(tmp_path: Path) -> None:
    """A team that keeps its packs in one place names that place alone."""
    written(tmp_path, OURS, "b.yaml")
    written(tmp_path, OURS.replace("name: ours", "name: theirs"), "a.yml")
    written(tmp_path, "no pack", "README.md")
    assert [pack.name for pack in load_packs([tmp_path])][:2] == ["theirs", "ours"]


def test_a_folder_without_packs_is_refused(tmp_path: Path) -> None:
    """A mount that is not there yet would pass for a service without metrics."""
    with pytest.raises(ConfigError, match=r"no file there ends in \.yaml or \.yml"):
        load_packs([tmp_path])


def test_a_folder_that_repeats_a_name_says_where(tmp_path: Path) -> None:
    """A copy that was left behind is found."""
    written(tmp_path, OURS, "a.yaml")
    written(tmp_path, OURS, "b.yaml")
    with pytest.raises(ConfigError, match=r"b\.yaml: the pack 'ours' is in .*a\.yaml"):
        load_packs([tmp_path])


def plugged(folder: Path, packs: dict[str, str], name: str = "acme") -> None:
    """A distribution with packs, as an installer leaves it."""
    package = folder / f"{name}_packs"
    package.mkdir()
    (package / "__init__.py").touch()
    for file, text in packs.items():
        (package / file).write_text(text, encoding="utf-8")
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[serinus.packs]\n{name} = {package.name}\n")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose distributions are installed."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.endswith("_packs")]:
        del sys.modules[name]


def test_a_plug_in_brings_packs(installed: Path) -> None:
    """A vendor ships packs in a distribution; nobody copies files."""
    plugged(installed, {"rpc.yaml": OURS})
    packs = load_packs()
    assert [pack.name for pack in packs] == ["ours", *(pack.name for pack in shipped_packs())]


def test_a_file_wins_over_a_plug_in_and_that_over_ours(installed: Path, tmp_path: Path) -> None:
    """The nearer somebody is to the service, the more their word counts."""
    other = OURS.replace("Our own framework", "The vendor's word")
    plugged(installed, {"rpc.yaml": other, "istio.yaml": other.replace("ours", "istio")})
    packs = {pack.name: pack.title for pack in load_packs([written(tmp_path, OURS)])}
    assert packs["ours"] == "Our own framework"
    assert packs["istio"] == "The vendor's word"


@pytest.mark.parametrize(
    ("packs", "told"),
    [
        pytest.param({}, "has no YAML file", id="none"),
        pytest.param({"rpc.yaml": "titel: x"}, "rpc.yaml: unknown key titel", id="a slip"),
        pytest.param({"a.yaml": OURS, "b.yaml": OURS}, "b.yaml: the pack 'ours' is in", id="two"),
    ],
)
def test_a_broken_plug_in_is_named(installed: Path, packs: dict[str, str], told: str) -> None:
    """Whoever reads the start's error knows which distribution to mend or remove."""
    plugged(installed, packs)
    with pytest.raises(ConfigError, match=r"pack plug-in 'acme' \(acme_packs\)") as caught:
        load_packs()
    assert told in str(caught.value)


def test_a_plug_in_that_is_gone_is_named(installed: Path) -> None:
    """An entry point that outlived its package."""
    plugged(installed, {"rpc.yaml": OURS})
    (installed / "acme_packs").rename(installed / "elsewhere")
    with pytest.raises(ConfigError, match="cannot be loaded: No module named 'acme_packs'"):
        load_packs()
