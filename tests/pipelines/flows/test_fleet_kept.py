"""What came of series is there after a stop, once, and by the name of the work."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import StoreError
from pipelines.flows.fleet_kept import Came, Kept, Trouble, name_of

SHORT = Trouble(reason="short_history", text="not enough history: needs 14 days, has 2 days")
AWAY = Trouble(reason="source_unavailable", text="cannot connect", lasts=False)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """An empty file."""
    found = Kept(tmp_path / "new" / "fleet.db")
    yield found
    found.close()


def test_results_come_back_in_the_order_asked_for(kept: Kept) -> None:
    """However they came; what failed is left out of them and told apart."""
    kept.save("w", [Came("b", b"2"), Came("c", SHORT), Came("a", b"1")])
    assert list(kept.results("w", ["a", "b", "c", "d"])) == [("a", b"1"), ("b", b"2")]
    assert list(kept.troubles("w")) == [("c", SHORT)]


def test_the_same_again_is_the_same_as_once(kept: Kept) -> None:
    """A chunk that is done twice leaves one row; the newest holds."""
    kept.save("w", [Came("a", b"1"), Came("b", AWAY)])
    kept.save("w", [Came("a", b"1"), Came("b", b"2")])
    assert list(kept.results("w", ["a", "b"])) == [("a", b"1"), ("b", b"2")]
    assert list(kept.troubles("w")) == []


def test_what_another_run_may_mend_is_not_finished(kept: Kept) -> None:
    """A source that was away is asked again; a series that is too short is not."""
    kept.save("w", [Came("a", b"1"), Came("b", AWAY), Came("c", SHORT)])
    assert kept.finished("w") == {"a", "c"}


def test_other_work_has_other_results(kept: Kept) -> None:
    """A forecast of two weeks is none of three."""
    kept.save("w", [Came("a", b"1")])
    kept.save("v", [Came("a", b"9")])
    assert list(kept.results("v", ["a"])) == [("a", b"9")]
    assert kept.finished("u") == frozenset()


def test_more_rows_than_are_read_at_once(kept: Kept) -> None:
    """SQLite bounds the values of a query; a fleet has more series."""
    names = [f"s{number:05d}" for number in range(1_000)]
    kept.save("w", [Came(name, name.encode()) for name in names])
    assert [name for name, _ in kept.results("w", names)] == names


def test_it_is_there_for_the_next_process(tmp_path: Path) -> None:
    """Results and what was first said of the run."""
    one = Kept(tmp_path / "fleet.db")
    assert one.setting("until", "7") == "7"
    one.save("w", [Came("a", b"1")])
    one.close()
    two = Kept(tmp_path / "fleet.db")
    assert two.setting("until", "8") == "7"
    assert list(two.results("w", ["a"])) == [("a", b"1")]
    two.close()


def test_a_batch_that_cannot_be_kept_leaves_nothing(kept: Kept) -> None:
    """Whole or not at all."""
    with pytest.raises(StoreError, match="cannot be used"):
        kept.save("w", [Came("a", b"1"), Came(None, b"2")])  # type: ignore[arg-type]
    assert kept.finished("w") == frozenset()


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    """What it means is not known here."""
    file = tmp_path / "fleet.db"
    with sqlite3.connect(file) as base:
        base.execute("pragma user_version = 2")
    base.close()
    with pytest.raises(StoreError, match="newer version"):
        Kept(file)


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    """Never written over."""
    file = tmp_path / "fleet.db"
    file.write_bytes(b"no database, but something of somebody" * 40)
    with pytest.raises(StoreError, match="cannot be used"):
        Kept(file)
    assert file.read_bytes().startswith(b"no database")


@given(st.lists(st.one_of(st.text(max_size=3), st.binary(max_size=3), st.integers()), max_size=3))
def test_a_name_tells_contents_apart(content: list[object]) -> None:
    """The same content is the same name; any other is another, however it is cut."""
    name = name_of("forecast", *content)
    assert name == name_of("forecast", *content)
    assert name != name_of("forecast", *content, "")
    assert name != name_of("backtest", *content)
