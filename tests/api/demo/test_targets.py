"""The file of targets, as both scrapers read it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from api.demo.shop import Pod, Version
from api.demo.targets import read_targets, target_groups, write_targets


def version(*ports: int) -> Version:
    pods = [Pod(name=f"checkout-a-{p}", index=n, created=0.0, port=p) for n, p in enumerate(ports)]
    return Version(name="v1", hash="a", pods=pods)


def test_both_scrapers_see_the_same_pods(tmp_path: Path) -> None:
    """What is read back is what was written, with the labels that tell pods apart."""
    file = tmp_path / "targets.json"
    write_targets(file, list(target_groups([version(7001, 7002)], state_port=7000)))
    state, one, two = read_targets(file)
    assert state.url == "http://127.0.0.1:7000/metrics"
    assert (one.url, one.labels["pod"]) == ("http://127.0.0.1:7001/metrics", "checkout-a-7001")
    assert two.labels == {
        "job": "checkout",
        "service": "checkout",
        "namespace": "shop",
        "pod": "checkout-a-7002",
        "version": "v1",
    }


def test_the_file_is_in_the_form_that_prometheus_discovers(tmp_path: Path) -> None:
    """A list of objects with `targets` and `labels`, all of them text."""
    file = tmp_path / "targets.json"
    write_targets(file, list(target_groups([version(7001)], state_port=7000)))
    for group in json.loads(file.read_text()):
        assert set(group) == {"targets", "labels"}
        assert all(isinstance(text, str) for text in [*group["targets"], *group["labels"].values()])


def test_a_pod_that_does_not_listen_yet_is_no_target() -> None:
    """It would be shown as down, which it is not."""
    groups = list(target_groups([version(0, 7001)], state_port=7000))
    assert [group.targets for group in groups[1:]] == [("127.0.0.1:7001",)]


def test_nobody_reads_half_a_file(tmp_path: Path) -> None:
    """It is replaced in one go, and no draft stays behind."""
    file = tmp_path / "targets.json"
    write_targets(file, list(target_groups([version(7001)], state_port=7000)))
    with file.open() as open_before:
        write_targets(file, [])
        assert len(json.load(open_before)) == 2
    assert read_targets(file) == ()
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_no_such_file_is_an_error(tmp_path: Path) -> None:
    """A damaged file is told, not scraped."""
    file = tmp_path / "targets.json"
    file.write_text('[{"labels": {}}]')
    with pytest.raises(msgspec.DecodeError):
        read_targets(file)
