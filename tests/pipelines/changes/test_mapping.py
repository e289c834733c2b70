"""Mappings as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.changes.change import ChangeEvent, ChangeKind
from detector.errors import ConfigError, InputError
from pipelines.changes.mapping import (
    load_change_mappings,
    parse_change_mapping,
    shipped_change_mappings,
)
from pipelines.changes.reading import EVENTS_MAX, events_of

OWN = """
name: spinnaker
title: Our Spinnaker
events:
  - when: {"{type}": deploy}
    id: "{id}"
    subject: "{id}"
    kind: {of: "{what}", words: {release: deployment}, otherwise: config}
    service: "{service}"
    title: "{words}"
    link: "{link}"
    attributes: {who: "{who}"}
"""


def read(body: bytes, text: str = OWN) -> tuple[ChangeEvent, ...]:
    """The events of a body by a mapping."""
    mapping = parse_change_mapping(text, origin="own.yaml")
    return events_of(
        mapping, body, {}, now=1000, redact=lambda word: word.replace("hunter2", "***")
    )


def test_a_new_sender_is_a_small_file(tmp_path: Path) -> None:
    """Nobody has to wait for a release of ours."""
    (tmp_path / "own.yaml").write_text(OWN, encoding="utf-8")
    assert {*shipped_change_mappings(), "spinnaker"} == set(load_change_mappings([tmp_path]))
    (event,) = read(b'{"type":"deploy","id":7,"what":"release","service":"cart"}')
    assert (event.source, event.id, event.kind) == ("/spinnaker", "7", ChangeKind.DEPLOYMENT)
    assert (event.at, event.place.service) == (1000, "cart")


def test_a_file_of_ones_own_stands_before_a_shipped_one(tmp_path: Path) -> None:
    """A team whose GitHub names services otherwise says so."""
    (tmp_path / "github.yml").write_text(OWN.replace("spinnaker", "github"), encoding="utf-8")
    assert load_change_mappings([tmp_path])["github"].title == "Our Spinnaker"


@pytest.mark.parametrize(
    ("was", "now", "words"),
    [
        ("deployment}", "deploymint}", "deploymint"),
        ("title: Our", "colour: Our", "colour"),
        ("{service}", "{service", "{path}"),
        ("name: spinnaker", "name: A b", "small letters"),
        ("    id:", "    di:", "`di`"),
        ("events:", "signature: {scheme: hmac}\nevents:", "header"),
        ("events:", "signature: {scheme: trust}\nevents:", "trust"),
        ('    id: "{id}"', '    found: [{of: "{id}", pattern: "("}]\n    id: "{id}"', "pattern"),
        ("name: spinnaker", "- [", "own.yaml"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_at_the_start(was: str, now: str, words: str) -> None:
    """With the file and the word that is wrong, before a payload is lost to it."""
    with pytest.raises(ConfigError, match=r"own\.yaml") as refused:
        parse_change_mapping(OWN.replace(was, now), origin="own.yaml")
    assert words in str(refused.value)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    """Which of them holds would depend on the order of a folder."""
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(OWN, encoding="utf-8")
    with pytest.raises(ConfigError, match="one name"):
        load_change_mappings([tmp_path])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"<html>", "body"),
        (b"\xff\xfe", "body"),
        (b"[" * 100_000, "body"),
        (b'{"type":"deploy"}', "id"),
        (b'{"type":"deploy","id":{}}', "id"),
    ],
    ids=["nothing", "a page", "no text", "nested without end", "no id", "an id that is none"],
)
def test_a_payload_that_cannot_be_read_is_refused_by_its_field(body: bytes, field: str) -> None:
    """The sender shows that answer to whoever sets it up."""
    with pytest.raises(InputError) as refused:
        read(body)
    assert refused.value.field == field


def test_a_list_without_end_is_refused() -> None:
    """One payload must not become a million rows."""
    text = OWN.replace('{"type": deploy}', "{}").replace("    id:", "    each: items\n    id:")
    text = text.replace('"{type}"', '"{id}"').replace(
        'when: {"{id}": deploy}', 'when: {"{id}": "*"}'
    )
    body = b'{"id":1,"items":[' + b",".join([b"1"] * (EVENTS_MAX + 1)) + b"]}"
    with pytest.raises(InputError, match="at most"):
        read(body, text)


def test_secrets_escapes_and_unsafe_links_do_not_come_in() -> None:
    """Titles are shown in terminals, chats and pages; a link is clicked at 3 a.m."""
    (event,) = read(
        b'{"type":"deploy","id":1,"what":"x","words":"set hunter2\\u001b[31m red\\u202e",'
        b'"link":"javascript:alert(1)","who":"hunter2"}'
    )
    assert event.title == "set *** [31m red "
    assert (event.link, event.attributes) == ("", (("who", "***"),))


def test_words_without_end_are_cut() -> None:
    """A commit message of a megabyte is no title."""
    (event,) = read(b'{"type":"deploy","id":1,"what":"x","words":"' + b"w" * 1_000_000 + b'"}')
    assert (len(event.title), event.title[-1]) == (300, "…")
