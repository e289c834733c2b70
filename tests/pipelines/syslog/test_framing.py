from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipelines.syslog.framing import Framing

BODIES = st.binary(min_size=1, max_size=80).map(lambda body: b"<13>" + body)
LINES = st.binary(max_size=80).map(lambda body: b"<13>" + body.replace(b"\n", b"?") + b"x")


def framed(stream: bytes, cuts: list[int], most: int = 1000) -> list[bytes]:
    framing = Framing(most)
    places = sorted({0, *(cut % (len(stream) + 1) for cut in cuts), len(stream)})
    pieces = [stream[start:end] for start, end in pairwise(places)]
    return [*(one for piece in pieces for one in framing.take(piece)), *framing.end()]


def counted(message: bytes) -> bytes:
    return b"%d %s" % (len(message), message)


@given(st.lists(BODIES, max_size=6), st.lists(st.integers(0, 600), max_size=9))
def test_counted_messages_come_whole_however_they_are_cut(
    messages: list[bytes], cuts: list[int]
) -> None:
    """The network cuts where it likes, also within the count."""
    assert framed(b"".join(map(counted, messages)), cuts) == messages


@given(st.lists(LINES, max_size=6), st.lists(st.integers(0, 600), max_size=9))
def test_lines_come_whole_however_they_are_cut(messages: list[bytes], cuts: list[int]) -> None:
    """… and the last one needs no line end."""
    assert framed(b"\n".join(messages), cuts) == messages


@given(
    st.lists(st.tuples(st.booleans(), LINES), max_size=6), st.lists(st.integers(0, 600), max_size=9)
)
def test_each_message_tells_how_it_is_framed(
    messages: list[tuple[bool, bytes]], cuts: list[int]
) -> None:
    """A relay may pass on both kinds in one connection."""
    stream = b"".join(counted(one) if is_counted else one + b"\n" for is_counted, one in messages)
    assert framed(stream, cuts) == [one for _, one in messages]


def test_a_long_message_is_cut_and_the_next_one_is_whole() -> None:
    """Ten megabytes in one message hold no more than the bound."""
    framing = Framing(100)
    long = b"<13>" + b"x" * 10_000_000
    stream = counted(long) + counted(b"<13>next") + long + b"\n<13>last\n"
    got = framing.take(stream)
    assert [len(one) for one in got] == [100, 8, 100, 8]
    assert framing.too_long == 2


def test_a_counted_message_that_was_cut_off_is_no_message() -> None:
    """Half a record would be counted as a template of its own."""
    assert framed(b"20 <13>half", []) == []


@given(st.binary(max_size=500), st.lists(st.integers(0, 600), max_size=9))
def test_any_stream_is_bounded(stream: bytes, cuts: list[int]) -> None:
    """Whatever comes, no message is longer than the bound."""
    assert all(len(one) <= 64 for one in framed(stream, cuts, most=64))
