"""Mappings that people write: refused by name where they are wrong, before ours where they fit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import ConfigError
from detector.logs.lines import Level, Origin
from pipelines.ingest.records.building import Written
from pipelines.ingest.records.json_lines import JsonLines
from pipelines.ingest.records.mapping import (
    Mapping,
    load_mappings,
    parse_mapping,
    shipped_mappings,
)
from pipelines.ingest.records.paths import path_of
from pipelines.ingest.records.plain import Told
from tests.profiles import HEAVY

NOW = 1_714_557_600_000
TOLD = Told(origin=Origin(service=""), now=NOW)
FIELDS = tuple(one for one in Mapping.__struct_fields__ if one not in {"name", "title", "words"})


def read(record: dict[str, Any], mappings: Sequence[Mapping], mapping: str = "auto") -> Written:
    """One record's line."""
    lines = JsonLines(lambda flaw: None, mapping=mapping, mappings=mappings)
    line = lines.read(json.dumps(record).encode(), TOLD)
    assert line is not None
    return line


def folder(at: Path, **files: str) -> tuple[Mapping, ...]:
    """The mappings of a folder with these files, and ours."""
    for name, text in files.items():
        (at / f"{name}.yaml").write_text(text)
    return load_mappings([at])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Expected `object`, got `null`"),
        ("title: no name", "missing required field `name`"),
        ("name: 7", "Expected `str`"),
        ("name: x\ntext: msg", "Expected `array`"),
        ("name: x\ntext: [1]", "Expected `str`"),
        ("name: x\nlevel: [{numbers: otel}]", "missing required field `path`"),
        ("name: x\nlevel: [{path: a}]", "missing required field `numbers`"),
        ("name: x\nlevel: [{path: a, numbers: otel, also: 1}]", "unknown field `also`"),
        ("name: x\nwords: [falha]", "Expected `object`"),
        ("name: x\n\tlevel: [a]", "is no mapping of fields: "),
        ("name: x\nname: [", "while parsing"),
        ("name: &a [*a]", "Expected `str`"),
        ("name: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("name: x\nwords: {a: ERRROR}", "is no level"),
        ("name: x\n\x00", "control characters are not allowed"),
    ],
)
def test_bad_mappings_are_told_with_file_and_reason(text: str, words: str) -> None:
    """Whoever wrote it sees what to change, and no code of theirs is run."""
    with pytest.raises(ConfigError, match=words) as told:
        parse_mapping(text, origin="own/mine.yaml")
    assert str(told.value).startswith("own/mine.yaml: ")


def test_a_mapping_that_nests_without_end_is_refused() -> None:
    """Not taken for a crash of ours."""
    with pytest.raises(ConfigError, match="mine"):
        parse_mapping("name: " + "[" * 100_000, origin="mine.yaml")


@HEAVY
@given(st.text(max_size=60) | st.from_regex(r"\Aname: x\n[a-z]{1,9}: [\[\]{}a-z:, ]{0,20}\Z"))
def test_any_text_is_a_mapping_or_refused(text: str) -> None:
    """A wrong file never stops the start with a stack trace."""
    with suppress(ConfigError):
        assert isinstance(parse_mapping(text, origin="x.yaml").name, str)


def test_what_is_too_large_or_no_text_is_not_read(tmp_path: Path) -> None:
    """A path to something else by mistake."""
    huge, binary = tmp_path / "huge.yaml", tmp_path / "binary.yaml"
    huge.write_text("#" * (2**20 + 1))
    binary.write_bytes(b"name: \xff")
    with pytest.raises(ConfigError, match="over 1,048,576 bytes"):
        load_mappings([huge])
    with pytest.raises(ConfigError, match="cannot be read"):
        load_mappings([binary])


def test_a_folder_holds_mappings_and_other_files(tmp_path: Path) -> None:
    """Read-me files beside them are no mappings; both endings of YAML are."""
    (tmp_path / "README.md").write_text("no mapping")
    (tmp_path / "b.yml").write_text("name: b")
    every = folder(tmp_path, a="name: a")
    assert [one.name for one in every[:2]] == ["a", "b"]
    assert len(every) == len(shipped_mappings()) + 2


@pytest.mark.parametrize(
    "files",
    [
        {"a": "name: a\nextends: [a]\ntext: [said]"},
        {"a": "name: a\nextends: [b]\ntext: [said]", "b": "name: b\nextends: [a]\ntext: [words]"},
        {
            "a": "name: a\nextends: [b]\ntext: [said]",
            "b": "name: b\nextends: [c]",
            "c": "name: c\nextends: [a]",
        },
    ],
    ids=["itself", "each other", "three"],
)
def test_mappings_that_extend_in_a_circle_are_refused(
    tmp_path: Path, files: dict[str, str]
) -> None:
    """Which of them comes first is nothing that anybody could say."""
    with pytest.raises(ConfigError, match="extends itself: a"):
        folder(tmp_path, **files)


def test_what_is_extended_brings_what_it_extends(tmp_path: Path) -> None:
    """Who builds on ours writes one name, and has all that ours has."""
    every = folder(tmp_path, a="name: a\nwhen: [ours]\nextends: [filebeat]\nservice: [team.name]")
    own = next(one for one in every if one.name == "a")
    shipped = {one.name: one for one in shipped_mappings()}
    assert own.service[0] == "team.name"
    for field in ("time", "text", "level", "pod", "trace", "file", "stack"):
        assert getattr(own, field) == getattr(shipped["filebeat"], field)
    record = {"ours": 1, "message": "x", "levelname": "ERROR", "kubernetes": {"pod_name": "p"}}
    line = read(record, every)
    assert (line.level, line.origin.pod) == (Level.ERROR, "p")


def test_no_path_is_asked_twice() -> None:
    """What several ancestors name is looked up once, where it is preferred most."""
    for mapping in shipped_mappings():
        for field in FIELDS:
            paths = getattr(mapping, field)
            assert len(set(paths)) == len(paths), (mapping.name, field)


def test_an_own_mapping_is_recognised_by_what_only_it_has(tmp_path: Path) -> None:
    """Without naming it for each door."""
    every = folder(
        tmp_path,
        ours="name: ours\nwhen: [codigo]\nextends: [json]\ntext: [texto]\n"
        "level: [{path: gravidade, numbers: syslog}]\nwords: {falha: error}",
    )
    ours = read({"codigo": 7, "texto": "sem estoque", "gravidade": 3}, every)
    assert (ours.text, ours.level) == (b"sem estoque", Level.ERROR)
    other = read({"message": "x", "level": "warn", "texto": "y"}, every)
    assert (other.text, other.level) == (b"x", Level.WARN)


def test_a_file_of_ones_own_replaces_ours_for_what_extends_it(tmp_path: Path) -> None:
    """A company that calls its levels otherwise says so in one place."""
    every = folder(tmp_path, own="name: json\ntext: [said]\nlevel: [grade]\nservice: [who]")
    record = {"said": "x", "grade": "error", "who": "cart"}
    assert read(record, every).level is Level.ERROR
    shipped = {**record, "@metadata": {"beat": "filebeat"}, "message": "y"}
    line = read(shipped, every)
    assert (line.text, line.level, line.origin.service) == (b"y", Level.ERROR, "cart")


def test_words_of_ones_own_go_before_ours(tmp_path: Path) -> None:
    """`note` is no matter of course to somebody's auditors; the others stay as they were."""
    every = folder(tmp_path, a="name: a\nextends: [json]\nwords: {NOTE: fatal, ruim: warn}")
    told = {word: read({"level": word, "msg": "x"}, every, "a").level for word in
            ("note", "Ruim", "error", "what")}  # fmt: skip
    assert told == {
        "note": Level.FATAL, "Ruim": Level.WARN, "error": Level.ERROR, "what": Level.UNKNOWN,
    }  # fmt: skip


def test_the_first_path_that_says_something_holds(tmp_path: Path) -> None:
    """An empty service or a level that is none does not hide the ones behind it."""
    every = folder(
        tmp_path,
        a="name: a\ntext: [m]\nlevel: [one, two, three]\nservice: [s, t]\ntime: [at, then]",
    )
    record = {"m": "x", "one": "?", "two": None, "three": "error", "s": "  ", "t": "cart",
              "at": "yesterday", "then": 1_714_557_601}  # fmt: skip
    line = read(record, every, "a")
    assert (line.level, line.origin.service, line.at) == (Level.ERROR, "cart", NOW + 1_000)


def test_a_shipped_mapping_reads_back_as_it_is() -> None:
    """What `serinus` tells of a mapping can be saved, changed and loaded."""
    for mapping in shipped_mappings():
        text = msgspec.yaml.encode(mapping).decode()
        assert parse_mapping(text, origin="again") == mapping


NAMES = st.lists(st.sampled_from(["a", "b", "cd", "e"]), min_size=1, max_size=5)


@given(NAMES, st.lists(st.booleans(), min_size=5, max_size=5), st.integers())
def test_a_path_is_found_however_its_names_are_joined(
    names: list[str], joins: list[bool], value: int
) -> None:
    """A shipper flattens some levels and not others."""
    keys = [names[0]]
    for name, is_joined in zip(names[1:], joins, strict=False):
        if is_joined:
            keys[-1] += f".{name}"
        else:
            keys.append(name)
    record: Any = value
    for key in reversed(keys):
        record = {key: record}
    path = path_of(".".join(names))
    assert path.find(record) == value
    assert path.may_be_in(record)
    assert path_of(".".join([*names, "more"])).find(record) is None
