"""Strings, bodies and fields: what is inside does not count, what the line tells does."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.templates.miner import Miner
from tests.models.templates.lines import texts
from tests.profiles import HEAVY

STRINGS = [
    ('say "hello there" twice', "say <str> twice"),
    ("say 'hello there' twice", "say <str> twice"),
    ('say "hello \\"you\\" there" twice', "say <str> twice"),
    ("say 'don\\'t' twice", "say <str> twice"),
    ('say "it\'s" twice', "say <str> twice"),
    ('say "" twice', "say <str> twice"),
    ("say '' twice", "say <str> twice"),
    ('say "a", "b", "c" twice', "say <str> twice"),
    ('say "a" "b" twice', "say <str> <str> twice"),
    ('say ("a") twice', "say (<str>) twice"),
    ('say "a\\\\" twice', "say <str> twice"),
    ('say "a(b)c" twice', "say <str> twice"),
    ('say "open here', 'say "open here'),
    ("say don't and won't twice", "say don't and won't twice"),
    ("the user's cart and others' carts", "the user's cart and others' carts"),
    ('5" disk', '<num>" disk'),
    ("say `a b` twice", "say `a b` twice"),
    ('say "GET /a/b HTTP/1.1" twice', 'say "GET <path> <id>" twice'),
    ('say "DELETE /a/7 HTTP/2.0" twice', 'say "DELETE <path> <id>" twice'),
    ('say "GETTING there" twice', "say <str> twice"),
    ('say "get /a/b" twice', "say <str> twice"),
]
BODIES = [
    ('got {"a":1} ok', "got <json> ok"),
    ('got { "a" : 1 } ok', "got <json> ok"),
    ('got {"a":{"b":[1,2,{"c":"}"}]}} ok', "got <json> ok"),
    ('got {"a":"\\"}"} ok', "got <json> ok"),
    ('got [{"a":1},{"b":2}] ok', "got <json> ok"),
    ('got {"a":"cut off he', "got <json>"),
    ('got {"a":{"b":1}', "got <json>"),
    ('body={"a":1}', "body=<json>"),
    ('{"a":1}', "<json>"),
    ('got {"a":1}, {"b":2} ok', "got <json> ok"),
    ("got {'a': 1} ok", "got <json> ok"),
    ("got {'a': \"it's\", 'b': {'c': '}'}} ok", "got <json> ok"),
    ("got [{'a': None}] ok", "got <json> ok"),
    ("got {'a': 'cut o", "got <json>"),
    ('got {"a": it\'s} ok', "got <json> ok"),
    ('got ["a", "b"] ok', "got [<str>] ok"),
    ("got [1, 2, 3] ok", "got [<num>] ok"),
    ("got {a: 1, b: 2} ok", "got {a: <num>, b: <num>} ok"),
    ("got {} ok", "got {<empty>} ok"),
    ("got [] ok", "got [<empty>] ok"),
    ("call f() ok", "call f() ok"),
    ("got } and { ok", "got } and { ok"),
]
FIELDS = [
    ("done n=1 m=-2", "done n=<num> m=<num>"),
    ("done n=a m=b", "done n=a m=b"),
    ("done n=\"a b\" m='c'", "done n=<str> m=<str>"),
    ("done ok=true old=false", "done ok=<bool> old=<bool>"),
    ("done ok=True old=None at=nil", "done ok=<bool> old=<bool> at=<bool>"),
    ("done ok: true, at: null", "done ok: <bool>, at: <bool>"),
    ("done is true or false", "done is true or false"),
    ("done ok=truth", "done ok=truth"),
    ("done n= m=2", "done n=<empty> m=<num>"),
    ("done (n=, m=2)", "done (n=<empty>, m=<num>)"),
    ("done n=", "done n=<empty>"),
    ("done n=a,m=b", "done n=a,m=b"),
    ("done n=[a] m={b}", "done n=[a] m={b}"),
    ("done n=10.0.0.7:80", "done n=<ip>:<num>"),
    ("done n:1,m:2", "done n:<num>,m:<num>"),
    ("done n=/a/b m=https://a.example", "done n=<path> m=<url>"),
    ("done at=2026-11-27T03:16:02Z", "done at=<time>"),
    ("done n => 1", "done n => <num>"),
    ("done n == 1", "done n == <num>"),
    ('say "GET /a?n=3&m=4 HTTP/1.1" twice', 'say "GET <path> <id>" twice'),
]
TOLD = [
    ('"Pod was killed" pod="a/b"', '"Pod was killed" pod=<str>'),
    ('"Pod was killed" n=3 why="a b"', '"Pod was killed" n=<num> why=<str>'),
    ('"Starting the node"', '"Starting the node"'),
    ('"Starting the node" \r\n', '"Starting the node"'),
    ('"Starting the node"\n  more of it', '"Starting the node"'),
    ('"Starting the node"  n=3', '"Starting the node" n=<num>'),
    ('"Node 3 is late" n=1', '"Node <num> is late" n=<num>'),
    ('level=error msg="card was declined" n=3', 'level=error msg="card was declined" n=<num>'),
    ("level=error msg='card was declined'", "level=error msg='card was declined'"),
    ('message="card was declined" n=3', 'message="card was declined" n=<num>'),
    ('msg="card 7 took 3 ms"', 'msg="card <num> took <num>"'),
    ("msg=declined n=3", "msg=declined n=<num>"),
    ('msg="" n=3', "msg=<str> n=<num>"),
    ('submsg="a b" n=3', "submsg=<str> n=<num>"),
    ('sub.msg="a b" n=3', "sub.msg=<str> n=<num>"),
    ('error="a b" msg="it failed"', 'error=<str> msg="it failed"'),
    ('"a b" is no table', "<str> is no table"),
    ('"a b": it failed', "<str>: it failed"),
    ('"a b" (n=3)', "<str> (n=<num>)"),
    ('the "a b" n=3', "the <str> n=<num>"),
    ('"cart" n=3', "<str> n=<num>"),
    ('"a b", "c d"', "<str>"),
]


@pytest.mark.parametrize(("line", "shown"), STRINGS)
def test_what_is_in_quotes_is_one_parameter(line: str, shown: str) -> None:
    """A name with spaces in it is one value; an apostrophe opens nothing."""
    assert texts(Miner(), [line]) == [shown]


@pytest.mark.parametrize(("line", "shown"), BODIES)
def test_a_body_is_one_parameter(line: str, shown: str) -> None:
    """A payload with other fields in it, or cut by whoever logged it, is the same kind of line."""
    assert texts(Miner(), [line]) == [shown]


@pytest.mark.parametrize(("line", "shown"), FIELDS)
def test_values_of_fields_are_told_by_their_form(line: str, shown: str) -> None:
    """Keys are what a line is about; what stands behind one is judged like any other word."""
    assert texts(Miner(), [line]) == [shown]


@pytest.mark.parametrize(("line", "shown"), TOLD)
def test_what_a_line_with_fields_tells_stays_readable(line: str, shown: str) -> None:
    """Of `msg="..."` the text is the kind of line, and everything else on it is detail."""
    assert texts(Miner(), [line]) == [shown]


def test_messages_with_the_same_fields_stay_apart() -> None:
    """Structured logs name the same fields on every line: what happened is in the quotes alone."""
    told = ["SyncLoop ADD", "SyncLoop DELETE", "Volume was mounted", "Volume was lost"]
    lines = [f'"{one}" source="api" pod="shop/{n}"' for one in told for n in range(5)]
    assert len(set(texts(Miner(), lines))) == len(told)
    lines = [f'level=info msg="{one}" source=api n={n}' for one in told for n in range(5)]
    assert len(set(texts(Miner(), lines))) == len(told)


def test_a_message_in_quotes_learns_its_parameters_too() -> None:
    """A user named in the text of `msg` makes no template of each user."""
    users = ("ann", "bob", "cy", "dora", "emil", "fay", "gus", "hal")
    lines = [f'level=info msg="session opened for user {user}" n=3' for user in users]
    assert set(texts(Miner(), lines)) == {'level=info msg="session opened for user <*>" n=<num>'}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@HEAVY
@given(body=st.dictionaries(st.text(max_size=6), VALUES, min_size=1, max_size=4))
def test_every_object_is_one_parameter(body: dict[str, object]) -> None:
    """Braces, quotes and escapes inside of strings close nothing."""
    line = f"got {json.dumps(body)[:900]}"
    assert texts(Miner(), [line, line + " and more"])[0] == "got <json>"


@HEAVY
@given(body=st.dictionaries(st.text("abc'{}[]: ,", max_size=6), st.integers(), min_size=1))
def test_every_dictionary_of_python_is_one_parameter(body: dict[str, int]) -> None:
    """`repr` takes double quotes where there is a single one inside."""
    line = f"got {dict(sorted(body.items()))!r} now"[:900]
    assert texts(Miner(), [line])[0].startswith("got <json>")


@HEAVY
@given(inside=st.text(st.characters(codec="ascii", exclude_characters="\n"), max_size=60))
def test_every_string_that_is_escaped_is_one_parameter(inside: str) -> None:
    """Whatever a client sends as its name, it ends where its quote ends."""
    line = f"agent {json.dumps(inside)} was seen"
    assert texts(Miner(), [line]) == ["agent <str> was seen"]
