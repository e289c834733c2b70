"""The compiled scan and its plain twin find the same in every line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.templates.kernel_scan import scanned
from models.templates.kinds import KIND, LED, MOST_TOKENS, Kind
from models.templates.twin_scan import Token
from models.templates.twin_scan import scanned as twin

PIECES = st.sampled_from(
    [
        *(
            b" ",
            b"  ",
            b": ",
            b", ",
            b"=",
            b"(",
            b") ",
            b"[",
            b"] ",
            b"{",
            b"}",
            b'"',
            b"'",
            b"<",
            b">",
        ),
        *(
            b":",
            b",",
            b".",
            b"/",
            b"-",
            b"\\",
            b"@",
            b"#",
            b"\n",
            b"\t",
            b"\x1b[31m",
            b"\x1b",
            b"\x00",
        ),
        *(
            b"Started",
            b"user",
            b"root",
            b"true",
            b"None",
            b"KB",
            b"bytes",
            b"ms",
            b"Jun",
            b"Sat",
            b"dead",
            b'"PUT /',
        ),
        *(
            b"10.0.0.7",
            b"fe80::1",
            b"00:1b:44:11:3a:b7",
            b"12:30:01",
            b"2015-10-18",
            b"0x1f",
            b"12ms",
        ),
        *(
            b"blk_-12",
            b"log4j",
            b"a@b.c",
            b"http://",
            b"C:\\x",
            b"/var/log",
            b"4bf92f3577b34da6",
            b"1,5",
            b"::",
            b"1.5e-3",
            b"\xc2\xb5s",
            b'msg="',
            b'"ab cd"',
            b"%eth0",
            b"?",
            b"{'",
        ),
        *(
            b'{"a": [1]}',
            b"(18.4 KB)",
            b"()",
            b"x=",
            b"host.a.b:80",
            b"\xc3\xa9",
            b"K\xc3\xb6ln",
            b"\xe2\x86\x92",
            b"\xe6\x9d\xb1",
            b"7",
            b"deadbeef",
            b"--",
        ),
    ]
)
LINES = st.one_of(
    st.lists(PIECES, max_size=14).map(b"".join),
    st.lists(PIECES, max_size=10).map(b" ".join),
    st.binary(max_size=40),
    st.text("ab:1.,/x0-@ \\=()[]{}\"'<>", max_size=25).map(str.encode),
)


def found(line: bytes, before: bytes = b"") -> tuple[list[Token], int]:
    """What the compiled scan finds of a line behind other bytes."""
    places = (
        np.zeros(MOST_TOKENS, np.uint64),
        np.zeros(MOST_TOKENS, np.uint8),
        np.zeros(MOST_TOKENS, np.int64),
        np.zeros(MOST_TOKENS, np.int64),
    )
    text, base = np.frombuffer(before + line, np.uint8), len(before)
    n, shape = scanned(text, base, len(text), places)
    hashes, kinds, begins, ends = (column[:n].tolist() for column in places)
    tokens = [
        Token(kind & KIND, begin - base, end - base, bool(kind & LED), h)
        for h, kind, begin, end in zip(hashes, kinds, begins, ends, strict=True)
    ]
    return tokens, int(shape)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """What takes seconds, the first time on a machine, is over before examples are timed."""
    found(b"")


@given(line=LINES, before=st.sampled_from([b"", b"x", b" ", b"=", b'"', b"("]))
@example(line=b"lifetime <1 sec, 5 bytes (1.2 KB) at Sat Jun 18 02:08:10 2005", before=b"")
@example(line=b"Traceback (most recent call last):\n  File\nKeyError: 'x'\n", before=b"")
@example(line=b"-log4j log4j- log4j", before=b"")
@example(line=b'"a b" c=1 msg="d e" f="::1" 12\xc2\xb5s 1e-05', before=b"")
@example(line=b"2001:db8::1%eth0 ::ffff:1.2.3.4 2001:db8::/32 2001:db8::1. /a?b=c", before=b"")
@example(line=b"word " * 400, before=b"")
@example(line=b"x" * 1200, before=b"")
def test_the_compiled_scan_is_the_plain_one(line: bytes, before: bytes) -> None:
    """What is fast must not see other templates than what can be read and reasoned about."""
    assert found(line, before) == twin(line)


@given(line=LINES)
def test_tokens_lie_in_the_line_and_in_order(line: bytes) -> None:
    """Nothing of another line is read, and no byte belongs to two tokens."""
    edges = [edge for token in found(line)[0] for edge in (token.begin, token.end)]
    assert edges == sorted(edges)
    assert not edges or (edges[0] >= 0 and edges[-1] <= len(line))


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("took 12ms", [Kind.WORD, Kind.NUM]),
        ("at 2026-11-27T03:16:02.5Z", [Kind.WORD, Kind.TIME]),
        ("at Sat Jun 18 02:08:10 2005", [Kind.WORD, Kind.DATE]),
        ("from 10.0.0.7:4711", [Kind.WORD, Kind.IP, Kind.NUM]),
        ("from fe80::7ed:1 to 00:1b:44:11:3a:b7", [Kind.WORD, Kind.IP, Kind.WORD, Kind.IP]),
        ("to db.internal:5432", [Kind.WORD, Kind.NAME, Kind.NUM]),
        ("at 0x7ffe, 4bf92f35", [Kind.WORD, Kind.HEX, Kind.ID]),
        (
            "of web-f7afdebd and its bytes2go",
            [*[Kind.WORD, Kind.ID, Kind.WORD, Kind.WORD], Kind.WORD],
        ),
        ("of 123e4567-e89b-12d3-a456-426614174000", [Kind.WORD, Kind.ID]),
        ("in /var/log/x and C:\\a b", [Kind.WORD, Kind.PATH, Kind.WORD, Kind.PATH, Kind.WORD]),
        ("GET https://a.b/c?d=e", [Kind.WORD, Kind.URL]),
        ("by ann@example.org", [Kind.WORD, Kind.MAIL]),
        ("no 'such thing' here", [Kind.WORD, Kind.STR, Kind.WORD]),
        ('"GET /a/b HTTP/1.1" 200', [Kind.WORD, Kind.PATH, Kind.ID, Kind.NUM]),
        ("don't stop", [Kind.WORD, Kind.WORD, Kind.WORD]),
        ('got {"a": {"b": [1, 2]}} ok', [Kind.WORD, Kind.JSON, Kind.WORD]),
        ("user= host=x", [Kind.WORD, Kind.EMPTY, Kind.WORD, Kind.WORD]),
        ("ready=true", [Kind.WORD, Kind.BOOL]),
        ("ids a1 b2 c3 gone", [Kind.WORD, Kind.ID, Kind.WORD]),
        ("list 1, 2, 3 gone", [Kind.WORD, Kind.NUM, Kind.WORD]),
        ("uses log4j and java.lang.String", [Kind.WORD, Kind.WORD, Kind.WORD, Kind.NAME]),
    ],
)
def test_parameters_are_told_by_their_form(line: str, kinds: list[Kind]) -> None:
    """A person who reads a template sees what kind of value is at each place."""
    assert [token.kind for token in found(line.encode())[0]] == kinds
