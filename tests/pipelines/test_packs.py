"""Packs from files: people's own beside the shipped ones."""

from __future__ import annotations

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
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load_packs([file])


def test_an_endless_file_is_not_read(tmp_path: Path) -> None:
    """A log given by mistake does not fill the memory."""
    with pytest.raises(ConfigError, match="no pack is that long"):
        load_packs([written(tmp_path, "#" * (1 << 20) + "\n")])
