"""Selectors: what Prometheus reads is read alike, and what we write cannot be broken out of."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from detector.errors import InputError
from detector.selector import format_query, matches, matches_everything, parse_selector, parse_side
from detector.series import Matcher, MatchOp, Query

EQUAL, NOT_EQUAL = MatchOp.EQUAL, MatchOp.NOT_EQUAL
MATCHES, NOT_MATCHES = MatchOp.MATCHES, MatchOp.NOT_MATCHES
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
names = st.one_of(st.from_regex(r"\A[a-zA-Z_][a-zA-Z0-9_]*\Z"), text.filter(bool))
plain = st.builds(Matcher, names, st.sampled_from([EQUAL, NOT_EQUAL]), text)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("", ()),
        ("{}", ()),
        (' { pod = "a" } ', (Matcher("pod", EQUAL, "a"),)),
        ('pod="a"', (Matcher("pod", EQUAL, "a"),)),
        ('{pod="a",}', (Matcher("pod", EQUAL, "a"),)),
        ("pod!='a'", (Matcher("pod", NOT_EQUAL, "a"),)),
        ('pod=~"a.+"', (Matcher("pod", MATCHES, "a.+"),)),
        ('a="b",code!~"5.."', (Matcher("a", EQUAL, "b"), Matcher("code", NOT_MATCHES, "5.."))),
        (r"{path=`a\b`}", (Matcher("path", EQUAL, r"a\b"),)),
        ('{"service.name"="x"}', (Matcher("service.name", EQUAL, "x"),)),
        (r'a="\"\\\n\t\x41\u00e9\101"', (Matcher("a", EQUAL, '"\\\n\tAéA'),)),
        (r'a="\xc3\xa9"', (Matcher("a", EQUAL, "é"),)),
        (r"a='\''", (Matcher("a", EQUAL, "'"),)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_selector_is_read_as_prometheus_does(written: str, meant: tuple[Matcher, ...]) -> None:
    """Braces, spaces, all three quotes, escapes, quoted names and a last comma are understood."""
    assert parse_selector(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "{", "}", "a", "a=", "a=b", 'a="b', "a=`b", '{a="b"', '{a="b"} or up', 'a="b" c="d"', ",",
        "{,}", '1a="b"', 'a=="b"', 'a~"b"', r'a="\q"', r'a="\xZZ"', r'a="\uD800"', r'a="\400"',
        r'a="\xff"', 'a="x\ny"', '""="b"', 'up{a="b"}', 'a=~"("', 'a=~"(?=x)"', r'a=~"\1"',
        'a=~"((((a{99}){99}){99}){99})"', 'a="\ud800"', "a=`\ud800`", 'a="\\',
    ],
)  # fmt: skip
def test_what_prometheus_refuses_is_refused(written: str) -> None:
    """The error names the field, so that a person finds what to mend."""
    with pytest.raises(InputError) as caught:
        parse_selector(written, field="canary")
    assert caught.value.field == "canary"


@pytest.mark.parametrize(
    "written",
    [
        'a="' + "x" * 9000 + '"',
        ",".join(f'a{i}="b"' for i in range(65)),
        'a=~"' + "x" * 5000 + '"',
        r'a=~"\\pL{900}"',
    ],
    ids=["long", "many", "long regex", "big program"],
)
def test_bounds(written: str) -> None:
    """Nothing that a caller sends grows caches or programs without limit."""
    with pytest.raises(InputError):
        parse_selector(written)


@given(st.lists(plain, max_size=8).map(tuple), names.filter(lambda n: "{" not in n))
@example((Matcher("a", EQUAL, '"} or up or x{a="'),), "up")
@example((Matcher('b"', EQUAL, "\\"),), "up")
def test_written_query_reads_back(matchers: tuple[Matcher, ...], metric: str) -> None:
    """Whatever a label holds, the query selects exactly that and nothing else."""
    written = format_query(Query(metric, matchers))
    selector = written[written.index("{") :] if "{" in written else ""
    found = parse_selector(selector)
    if not written.startswith("{"):
        assert (written.split("{", 1)[0], found) == (metric, matchers)
    else:
        assert found == (Matcher("__name__", EQUAL, metric), *matchers)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(written: str) -> None:
    """No input makes anything but matchers or an `InputError`."""
    with contextlib.suppress(InputError):
        assert all(isinstance(matcher, Matcher) for matcher in parse_selector(written))


@pytest.mark.parametrize("written", ['{__name__="up"}', '{pod="a", "__name__"=~".+"}'])
def test_a_side_names_no_metric(written: str) -> None:
    """Prometheus would be asked for two metrics at once, and its parser's words reach a person."""
    with pytest.raises(InputError, match="leave out __name__") as caught:
        parse_side(written, field="canary")
    assert caught.value.field == "canary"


@given(st.lists(plain.filter(lambda one: one.label != "__name__"), max_size=8).map(tuple))
def test_a_side_is_read_like_any_selector(matchers: tuple[Matcher, ...]) -> None:
    """Nothing else is refused."""
    written = format_query(Query("up", matchers)).removeprefix("up")
    assert parse_side(written, field="control") == matchers


@given(text, st.lists(text, max_size=3))
def test_literal_matchers(value: str, others: list[str]) -> None:
    """Equal and not equal are each other's opposite; an absent label is empty."""
    labels = {"a": value}
    for other in [value, "", *others]:
        one, two = Matcher("a", EQUAL, other), Matcher("a", NOT_EQUAL, other)
        assert matches(one, labels) == (other == value) != matches(two, labels)
    assert matches(Matcher("b", EQUAL, ""), labels)


@pytest.mark.parametrize(
    ("pattern", "value", "meant"),
    [
        ("5..", "503", True), ("5..", "5030", False), ("5..", "x503", False), ("a|b", "b", True),
        ("a|b", "ab", False), ("", "", True), (".*", "a\nb", True), ("(?i)get", "GET", True),
        ("é+", "éé", True), ("a$", "a", True), ("a$", "a\n", False),
    ],
)  # fmt: skip
def test_regex_is_anchored(pattern: str, value: str, meant: bool) -> None:
    """As in PromQL: the whole value, and a dot is any character."""
    assert matches(Matcher("a", MATCHES, pattern), {"a": value}) is meant
    assert matches(Matcher("a", NOT_MATCHES, pattern), {"a": value}) is not meant


def test_bad_regex_is_the_callers_error() -> None:
    """A pattern of a pack or policy that RE2 refuses says so."""
    with pytest.raises(InputError, match="RE2"):
        matches(Matcher("a", MATCHES, "(?<=x)y"), {"a": "y"})


def test_catastrophic_pattern_is_linear() -> None:
    """The classic backtracking bomb takes no time."""
    begin = time.process_time()
    assert not matches(Matcher("a", MATCHES, "(x+x+)+y"), {"a": "x" * 50_000})
    assert time.process_time() - begin < 1.0


@pytest.mark.parametrize(
    ("written", "everything"),
    [
        ("{}", True), ('a=~".*"', True), ('a!="b"', True), ('a=""', True), ('a=~".+"', False),
        ('a="b"', False), ('a!=""', False), ('a!="b",c="d"', False),
    ],
)  # fmt: skip
def test_selector_that_chooses_nothing(written: str, everything: bool) -> None:
    """A selector that also takes series without its labels is no choice of an arm."""
    assert matches_everything(parse_selector(written)) is everything
