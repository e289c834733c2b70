"""How far sources of lines were read, beside a sink that keeps nothing of that."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.errors import StoreError
from detector.logs.ports import ReadLogSink
from pipelines.ingest.logs.taken import no_lines
from pipelines.stores.log_reads import ReadsBeside
from pipelines.testing.log_sink import MemoryLogSink
from tests.pipelines.test_log_sink import two_lines

SHOP = '{app="shop"}'


def test_another_process_knows_how_far_it_was(tmp_path: Path) -> None:
    """By tenant and source."""
    sink: ReadLogSink = ReadsBeside(MemoryLogSink(), tmp_path / "reads.json")
    assert sink.put_read("default", two_lines(), source=SHOP, read_to=17)
    assert sink.put_read("team-a", no_lines(), source=SHOP, read_to=18)
    other = ReadsBeside(MemoryLogSink(), tmp_path / "reads.json")
    assert [other.read_to(tenant, SHOP) for tenant in ("default", "team-a", "x")] == [17, 18, None]


def test_what_the_sink_refuses_is_not_read(tmp_path: Path) -> None:
    """The same lines come again."""
    inner = MemoryLogSink()
    inner.is_full = True
    sink = ReadsBeside(inner, tmp_path / "reads.json")
    assert not sink.put_read("default", two_lines(), source=SHOP, read_to=17)
    assert sink.read_to("default", SHOP) is None


def test_no_lines_are_no_batch(tmp_path: Path) -> None:
    """A quiet hour leaves nothing in the spool, and is not read again."""
    inner = MemoryLogSink()
    sink = ReadsBeside(inner, tmp_path / "reads.json")
    sink.put_read("default", no_lines(), source=SHOP, read_to=17)
    assert (inner.batches, sink.read_to("default", SHOP)) == ({}, 17)


def test_a_file_that_cannot_be_read_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    """To begin anew in silence would lose lines, or count them twice."""
    file = tmp_path / "reads.json"
    file.write_text("{", encoding="utf-8")
    with pytest.raises(StoreError, match="delete it"):
        ReadsBeside(MemoryLogSink(), file).read_to("default", SHOP)


def test_a_place_that_takes_nothing_is_an_error(tmp_path: Path) -> None:
    """The pull waits, and does not go on with what a restart would forget."""
    sink = ReadsBeside(MemoryLogSink(), tmp_path / "gone" / "reads.json")
    with pytest.raises(StoreError, match="cannot be kept"):
        sink.put_read("default", two_lines(), source=SHOP, read_to=17)
