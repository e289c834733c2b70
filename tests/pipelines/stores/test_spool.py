"""The write-ahead spool: whole records in order, whatever a death tore."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.errors import StoreError
from pipelines.stores.spool import Spool
from tests.full_disk import full_disk


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


@pytest.mark.parametrize("room", [0, 1, 15, 16, 17, 115])
@pytest.mark.parametrize("durable", [False, True])
def test_a_full_disk_is_said_and_takes_nothing(tmp_path: Path, room: int, durable: bool) -> None:
    """Half of a record that was not acknowledged must neither be replayed nor hide the next."""
    spool = Spool(tmp_path, durable=durable)
    spool.append(b"a")
    with full_disk(spool.size + room), pytest.raises(StoreError, match="File too large"):
        spool.append(b"x" * 100)
    assert list(Spool(tmp_path).after(0)) == [(1, b"a")]
    assert spool.append(b"b") == 2
    assert list(Spool(tmp_path).after(0)) == [(1, b"a"), (2, b"b")]


def test_a_disk_that_is_full_for_the_first_record_of_all_is_no_end(tmp_path: Path) -> None:
    """An empty file is left behind: it is gone on with, by this process and by the next."""
    spool = Spool(tmp_path)
    for _ in range(2):
        with full_disk(9), pytest.raises(StoreError, match="File too large"):
            spool.append(b"x" * 100)
    again = Spool(tmp_path)
    assert [again.append(b"a"), again.append(b"b")] == [1, 2]
    assert list(Spool(tmp_path).after(0)) == [(1, b"a"), (2, b"b")]


def test_half_a_record_that_could_not_be_cut_off_is_cut_off_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk may refuse that, too: what is acknowledged after it would never be found again."""

    def refused(*_: int) -> None:
        raise OSError(errno.EIO, "no")

    spool = filled(tmp_path)
    with monkeypatch.context() as patch, full_disk(spool.size + 50):
        patch.setattr(os, "ftruncate", refused)
        with pytest.raises(StoreError, match="no"):
            spool.append(b"x" * 100)
        with pytest.raises(StoreError, match="no"):
            spool.append(b"y")
    assert list(spool.after(2)) == [(3, b"ccc")]
    assert spool.append(b"d") == 4
    assert list(Spool(tmp_path).after(2)) == [(3, b"ccc"), (4, b"d")]


def test_zeros_that_a_power_cut_left_are_no_records(tmp_path: Path) -> None:
    """File systems may have the length of a file and not what was in it: numbers began anew."""
    filled(tmp_path).close()
    path = next(tmp_path.glob("*.spool"))
    path.write_bytes(path.read_bytes() + bytes(4096))
    assert Spool(tmp_path).append(b"d") == 4
    assert list(Spool(tmp_path).after(0)) == [(1, b"a"), (2, b""), (3, b"ccc"), (4, b"d")]


def test_what_is_damaged_is_put_aside_before_it_is_cut_off(tmp_path: Path) -> None:
    """It was acknowledged: whoever can still mend it must find it."""
    filled(tmp_path).close()
    path = next(tmp_path.glob("*.spool"))
    held = bytearray(path.read_bytes())
    held[20] ^= 1
    path.write_bytes(held)
    spool = Spool(tmp_path)
    (aside,) = tmp_path.glob("*.damaged")
    assert list(spool.after(0)) == [(1, b"a")]
    assert aside.read_bytes() == bytes(held[17:])
    assert spool.append(b"new") == 2


@pytest.mark.parametrize("tail", [b"\x04", bytes(64)], ids=["torn", "zeros"])
def test_what_was_never_acknowledged_is_no_damage(tmp_path: Path, tail: bytes) -> None:
    """Each kill in the midst of a record would leave a file, and an alarm."""
    filled(tmp_path).close()
    path = next(tmp_path.glob("*.spool"))
    path.write_bytes(path.read_bytes() + tail)
    assert Spool(tmp_path).next == 4
    assert list(tmp_path.glob("*.damaged")) == []


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_byte_that_changed_makes_no_record_of_its_own(
    tmp_path: Path, data: st.DataObject
) -> None:
    """What is replayed was written: in order from the first on, whichever byte of it is wrong."""
    for old in tmp_path.glob("*.spool"):
        old.unlink()
    filled(tmp_path).close()
    path = next(tmp_path.glob("*.spool"))
    held = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(held) - 1))
    held[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(held)
    found = list(Spool(tmp_path).after(0))
    assert found == [(1, b"a"), (2, b""), (3, b"ccc")][: len(found)]
    assert len(found) < 3
