"""Chunks of samples are named by what they hold and by all that came before."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from detector.gate.record import FAIL_DAYS, PASS_DAYS, chunk_of

BODIES = st.lists(st.binary(max_size=20), min_size=1, max_size=6)


def chain(bodies: list[bytes], head: str = "") -> list[str]:
    """Names of the chunks of an attempt, one after the other."""
    names = []
    for body in bodies:
        head = chunk_of("a", head, body).hash
        names.append(head)
    return names


@given(BODIES)
def test_the_same_history_has_the_same_name(bodies: list[bytes]) -> None:
    """A replay finds the very samples that the verdict was made from."""
    assert chain(bodies) == chain(bodies)


@given(BODIES, st.integers(0, 5), st.binary(min_size=1, max_size=20))
def test_a_changed_sample_changes_every_name_after_it(
    bodies: list[bytes], at: int, more: bytes
) -> None:
    """Nobody can alter what an old verdict was made from unnoticed."""
    at %= len(bodies)
    altered = [body + more if n == at else body for n, body in enumerate(bodies)]
    before, after = chain(bodies), chain(altered)
    assert before[:at] == after[:at]
    assert all(one != other for one, other in zip(before[at:], after[at:], strict=True))


@given(st.binary(max_size=30), st.integers(0, 30))
def test_a_cut_elsewhere_is_another_history(body: bytes, at: int) -> None:
    """Two reads are not one of both bodies: where one ended is part of what happened."""
    parts = [body[:at], body[at:]]
    assert chain(parts)[-1] != chain([body])[-1]


@given(st.lists(st.binary(max_size=4), min_size=2, max_size=6))
def test_no_two_chunks_of_a_history_share_a_name(bodies: list[bytes]) -> None:
    """Three empty reads in a row are three."""
    names = chain(bodies)
    assert len(set(names)) == len(names)
    assert all(one != other for one, other in itertools.pairwise(names))


def test_a_chunk_keeps_what_it_was_made_of() -> None:
    """The body goes to the store as it came."""
    chunk = chunk_of("a", "before", b"samples")
    assert (chunk.attempt, chunk.prev, chunk.body) == ("a", "before", b"samples")
    assert chunk.hash == chunk_of("b", "before", b"samples").hash


def test_fails_are_kept_longer_than_passes() -> None:
    """Somebody asks a year later why a release was rolled back."""
    assert FAIL_DAYS > 365 > PASS_DAYS
