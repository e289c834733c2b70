"""What is kept of a report is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

import pytest

from detector.reports.kept import MOST_BYTES, KeptReport


class Long(bytes):
    """As long as it says, without the memory."""

    def __len__(self) -> int:
        return MOST_BYTES + 1

    def __iter__(self) -> Iterator[int]:
        return repeat(0, len(self))


def kept(body: bytes) -> KeptReport:
    """A report of this content."""
    about = {"id": "r", "tenant": "default", "name": "", "scope": "all", "title": ""}
    return KeptReport(**about, at=0, horizon_s=1, body=body)


def test_what_is_larger_is_refused() -> None:
    """A database would have to be repaired by hand."""
    with pytest.raises(ValueError, match="268,435,457 bytes"):
        kept(Long())
    assert kept(b"").body == b""
