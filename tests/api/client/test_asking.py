"""What is sent to a running serinus, and what its bytes are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import client
from api.client.asking import cursor_of, named, object_of, query_of, rows_of, sent, span_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_times_are_sent_with_their_zone() -> None:
    """Half past ten in Kolkata is no half past ten in Oslo."""
    kolkata = datetime(2026, 3, 2, 17, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert sent(NOON, "at") == "2026-03-02T12:00:00+00:00"
    assert sent(kolkata, "at") == "2026-03-02T17:30:00+05:30"
    assert span_of(NOON, None) == {"from": "2026-03-02T12:00:00+00:00", "to": None}
    assert span_of("1790000000", 1_790_000_060.5) == {"from": "1790000000", "to": "1790000060.5"}


def test_a_time_of_no_zone_is_refused() -> None:
    """Nobody guesses where a notebook ran."""
    with pytest.raises(client.InputError, match="no time zone") as refused:
        span_of(None, NOON.replace(tzinfo=None))
    assert refused.value.field == "until"


@pytest.mark.parametrize("value", [None, "v1", 20, 0.5, True, ["eu", "us"], {"alpha": 0.01}])
def test_what_is_no_time_is_sent_as_it_is(value: Any) -> None:  # noqa: ANN401
    """The interface judges it."""
    assert sent(value, "x") is value


@given(st.text(min_size=1))
def test_an_id_is_one_part_of_a_path(id: str) -> None:
    """A slash in it leads nowhere else."""
    path = named(id, "id")
    assert "/" not in path
    assert "?" not in path
    assert unquote(path) == id


def test_words_of_a_query_are_those_of_json() -> None:
    """True is a word of Python."""
    assert [query_of(word) for word in (True, False, "x")] == ["true", "false", "x"]


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'"x"', b"{", b"\xff"])
def test_bytes_that_are_no_object_are_no_answer(body: bytes) -> None:
    """Whatever stands at that address."""
    with pytest.raises(client.CouldNotAskError, match="none of serinus"):
        object_of(body)


@pytest.mark.parametrize("page", [{}, {"rows": None}, {"rows": {}}, {"rows": [1]}, {"rows": "x"}])
def test_a_page_without_its_rows_is_no_empty_page(page: dict[str, Any]) -> None:
    """Nothing there is a list without rows."""
    with pytest.raises(client.CouldNotAskError, match="it has no rows"):
        rows_of(page, "rows")
    assert rows_of({"rows": []}, "rows") == []


@pytest.mark.parametrize(
    ("page", "cursor"),
    [({}, None), ({"next": None}, None), ({"next": ""}, None), ({"next": "a"}, "a")],
)
def test_a_cursor_leads_on_or_ends(page: dict[str, Any], cursor: str | None) -> None:
    """The last page has none."""
    assert cursor_of(page) == cursor
