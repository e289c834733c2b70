"""The write-ahead spool: whole records in order, whatever a death tore."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector.errors import StoreError
from pipelines.stores.spool import Spool


def filled(folder: Path) -> Spool:
    """A spool with three records."""
    spool = Spool(folder)
    assert [spool.append(body) for body in (b"a", b"", b"ccc")] == [1, 2, 3]
    return spool


def test_records_come_back_in_order_after_a_number(tmp_path: Path) -> None:
    """A replay begins after the checkpoint, and misses nothing."""
    filled(tmp_path)
    assert list(Spool(tmp_path).after(0)) == [(1, b"a"), (2, b""), (3, b"ccc")]
    assert list(Spool(tmp_path).after(2)) == [(3, b"ccc")]


@pytest.mark.parametrize("cut", range(1, 19))
def test_what_was_torn_is_cut_off_and_the_rest_is_whole(tmp_path: Path, cut: int) -> None:
    """A death in the middle of a record must not hide those before it, or those to come."""
    filled(tmp_path).close()
    path = next(tmp_path.glob("*.spool"))
    path.write_bytes(path.read_bytes()[:-cut])
    spool = Spool(tmp_path)
    assert spool.append(b"new") == 3
    assert list(spool.after(0)) == [(1, b"a"), (2, b""), (3, b"new")]


def test_what_a_checkpoint_holds_is_forgotten_and_numbers_go_on(tmp_path: Path) -> None:
    """The disk does not fill, and no number comes twice."""
    spool = filled(tmp_path)
    spool.forget(3)
    assert spool.size == 0
    again = Spool(tmp_path)
    again.follow(3)
    assert again.append(b"d") == 4
    assert list(again.after(3)) == [(4, b"d")]


def test_what_is_not_in_a_checkpoint_is_kept(tmp_path: Path) -> None:
    """Forgetting one record too many would lose what was acknowledged."""
    spool = filled(tmp_path)
    spool.forget(2)
    assert list(spool.after(2)) == [(3, b"ccc")]


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    """The message names it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="spool"):
        Spool(tmp_path / "file" / "spool")
