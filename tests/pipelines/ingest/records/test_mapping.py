from __future__ import annotations

from pathlib import Path

import pytest

from detector.errors import ConfigError
from pipelines.ingest.records.mapping import load_mappings, parse_mapping, shipped_mappings
from pipelines.ingest.records.paths import path_of


def test_each_shipped_mapping_says_where_it_is_published() -> None:
    """Whoever doubts a path can look it up."""
    assert {mapping.name for mapping in shipped_mappings()} == {
        "ecs", "filebeat", "fluent-bit", "json", "kubernetes", "otel", "vector",
    }  # fmt: skip
    assert all(mapping.title and mapping.published for mapping in shipped_mappings())


def test_what_is_general_is_asked_last() -> None:
    """A record of Filebeat is one of the Elastic Common Schema too."""
    names = [mapping.name for mapping in shipped_mappings()]
    assert names[0] == "filebeat"
    assert names[-1] == "json"


def test_own_mappings_of_a_folder_come_first(tmp_path: Path) -> None:
    """People correct a convention of ours without touching our files."""
    (tmp_path / "mine.yaml").write_text("name: vector\nextends: [json]\ntext: [said]\n")
    first, *others = load_mappings([tmp_path])
    assert (first.name, first.text[0], "message" in first.text) == ("vector", "said", True)
    assert "vector" not in {mapping.name for mapping in others}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: x\nlevle: [a]", "unknown field `levle`"),
        ("name: x\nlevel: [{path: a, numbers: roman}]", "roman"),
        ("name: x\nwords: {a: dreadful}", "'dreadful' is no level; there are unknown, trace"),
        ("[1", "is no mapping of fields"),
        ("7", "is no mapping of fields"),
    ],
)
def test_what_is_no_mapping_is_refused_by_name(text: str, words: str) -> None:
    """A typing error would else silently leave every level unknown."""
    with pytest.raises(ConfigError, match=words) as told:
        parse_mapping(text, origin="mine.yaml")
    assert str(told.value).startswith("mine.yaml: ")


def test_extending_what_is_not_there_is_told(tmp_path: Path) -> None:
    """… with those that are."""
    (tmp_path / "a.yaml").write_text("name: a\nextends: [b]\n")
    with pytest.raises(ConfigError, match="extends 'b', which is not there"):
        load_mappings([tmp_path / "a.yaml"])


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    """Which of them would hold is a guess."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("name: same\n")
    with pytest.raises(ConfigError, match="two mappings have one name"):
        load_mappings([tmp_path])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A wrong path in the configuration is told at the start."""
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        load_mappings([tmp_path / "none.yaml"])


@pytest.mark.parametrize(
    "record",
    [{"a": {"b": {"c": 1}}}, {"a.b": {"c": 1}}, {"a": {"b.c": 1}}, {"a.b.c": 1},
     {"a": {"x": 2}, "a.b.c": 1}, {"a": 3, "a.b": {"c": 1}}],
)  # fmt: skip
def test_a_path_fits_however_a_sender_split_it(record: dict[str, object]) -> None:
    """Shippers nest, flatten, or do both."""
    assert path_of("a.b.c").find(record) == 1


def test_a_path_that_is_not_there_finds_nothing() -> None:
    """Null is as good as absent."""
    assert path_of("a.b").find({"a": {"b": None}, "b": 1}) is None
