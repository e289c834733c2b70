"""`serinus logs templates` on a terminal, in a file and in JSON, at a clock that stands still."""

from __future__ import annotations

import io
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from api.cli.guard import CouldNotAskError
from api.cli.logs_row import Row
from api.cli.logs_run import Wanted, fetched, news
from api.cli.logs_text import Screen

NOW = 1_790_000_000.0  # 2026-09-21T14:13:20Z
STACK = "Error: declined␊  at pay (pay.js:7)␊  at run (run.js:1)␊  at main (main.js:2)"


def row(**more: Any) -> Row:  # noqa: ANN401
    """A template as the API tells it."""
    told = {
        "id": "lt_0123456789abcdef",
        "service": "checkout",
        "level": "error",
        "text": "payment of <num> failed",
        "sample": "payment of 7 failed",
        "count": 1234,
        "first": "2026-09-21T12:13:20Z",
        "last": "2026-09-21T14:13:17Z",
        "came": "2026-09-21T12:13:21Z",
        "days": {"2026-09-21": 1234},
        "links": {"self": "/v1/templates/lt_0123456789abcdef"},
    }
    return Row(**{**told, **more})


ROWS = [
    row(),
    row(id="lt_2", level="warn", service=None, text="it is slow", sample="it is slow", count=2,
        first="2026-09-17T14:13:20Z", last="2026-09-21T14:03:20Z"),
    row(id="lt_3", level="fatal", service="a-service-with-a-name-that-is-far-too-long", count=10**9,
        text="boom", sample=STACK, first="2026-09-21T14:14:20Z", last="2026-09-21T14:14:20Z"),
]  # fmt: skip
TABLE = """\
LEVEL  SERVICE                           LINES  FIRST SEEN  LAST SEEN   TEMPLATE, AND ITS FIRST LINE
ERROR  checkout                          1,234  2 h ago     3 s ago     payment of <num> failed  lt_0123456789abcdef
                                                                        payment of 7 failed
WARN   -                                     2  4 d ago     10 min ago  it is slow  lt_2
FATAL  a-service-with-a-name-t…  1,000,000,000  0 s ago     0 s ago     boom  lt_3
                                                                        Error: declined
                                                                          at pay (pay.js:7)
                                                                        …
                                                                          at main (main.js:2)
"""  # noqa: E501 - as wide as a terminal
FOLLOWED = """\
Waiting for new templates; Ctrl-C ends it.
12:13:21Z  ERROR   checkout         payment of <num> failed  lt_0123456789abcdef
                   payment of 7 failed
12:13:21Z  WARN    -                it is slow  lt_2
"""


def screen(sent: io.StringIO, *, as_json: bool = False, follow: bool = False, width: int = 130,
           is_terminal: bool = True) -> Screen:  # fmt: skip
    """A screen of a width, without colours."""
    console = Console(file=sent, force_terminal=is_terminal, color_system=None, width=width,
                      emoji=False, markup=False, highlight=False)  # fmt: skip
    return Screen(as_json=as_json, follow=follow, console=console)


def trimmed(text: str) -> str:
    """Without blanks at the ends of lines."""
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def test_the_table_is_as_people_know_it() -> None:
    """Counts to the right, ages in words, a long stack by its ends."""
    sent = io.StringIO()
    screen(sent).first(ROWS, NOW)
    assert trimmed(sent.getvalue()) == TABLE


def test_a_file_is_as_wide_as_it_needs_to_be() -> None:
    """`> templates.txt` from a narrow terminal folds no template in two."""
    sent = io.StringIO()
    screen(sent, width=40, is_terminal=False).first(ROWS[:1], NOW)
    assert len(sent.getvalue().splitlines()) == 3
    assert "payment of <num> failed  lt_0123456789abcdef" in sent.getvalue()


def test_lines_that_come_are_told_one_by_one() -> None:
    """When it came, how grave, where, what, and under which id to look for it."""
    sent = io.StringIO()
    shown = screen(sent, follow=True)
    shown.first([], NOW)
    for one in ROWS[:2]:
        shown.new(one)
    assert trimmed(sent.getvalue()) == FOLLOWED


def test_a_template_wider_than_the_terminal_is_whole() -> None:
    """What is copied from a followed line is the line."""
    sent = io.StringIO()
    screen(sent, follow=True, width=30).new(row(text="word " * 40, sample=""))
    assert sent.getvalue().count("\n") == 1


def test_without_any_there_is_a_word_of_help() -> None:
    """An empty table would leave people with nothing to do."""
    sent = io.StringIO()
    screen(sent).first([], NOW)
    assert sent.getvalue() == "No templates: has a service sent logs here? See docs/logs.md.\n"


@pytest.mark.parametrize(
    ("age_s", "words"),
    [(-60, "0 s ago"), (0, "0 s ago"), (119, "119 s ago"), (120, "2 min ago"),
     (7_199, "120 min ago"), (7_200, "2 h ago"), (172_799, "48 h ago"), (172_800, "2 d ago"),
     (10**8, "1157 d ago")],
)  # fmt: skip
def test_ages_are_told_in_the_unit_that_fits(age_s: int, words: str) -> None:
    """A clock ahead of ours is no negative age."""
    sent = io.StringIO()
    screen(sent).first([row(sample="")], 1_789_992_800.0 + age_s)
    assert words in sent.getvalue()


def test_json_is_what_the_api_gave() -> None:
    """Every field, for jq; hostile texts stay texts."""
    sent = io.StringIO()
    screen(sent, as_json=True).first([row(text="\x1b[2J\n")], NOW)
    (told,) = json.loads(sent.getvalue())["templates"]
    assert (told["text"], told["count"], told["days"]) == ("\x1b[2J\n", 1234, {"2026-09-21": 1234})
    assert "\x1b" not in sent.getvalue()


def test_json_that_is_followed_is_a_line_each_oldest_first() -> None:
    """What stands there comes before what is new."""
    sent = io.StringIO()
    shown = screen(sent, as_json=True, follow=True)
    shown.first(ROWS[:2], NOW)
    shown.new(ROWS[2])
    assert [json.loads(line)["id"] for line in sent.getvalue().splitlines()] == [
        "lt_2", "lt_0123456789abcdef", "lt_3",
    ]  # fmt: skip


SIGNS = "\x1b[]2J0;mH\x07\x9b\x9d\r\n\x08\u202e\u200b\u2066[red]:/x"
HOSTILE = st.text(st.sampled_from(SIGNS), max_size=20)


@given(text=HOSTILE, service=HOSTILE, sample=HOSTILE, id=HOSTILE)
def test_nothing_that_a_log_says_commands_a_terminal(
    text: str, service: str, sample: str, id: str
) -> None:
    """No colour, no title, no forged line, no order turned round: in the table and followed."""
    hostile = row(text=text, service=service, sample=sample, id=id)
    for follow in (False, True):
        sent = io.StringIO()
        shown = screen(sent, follow=follow)
        shown.new(hostile) if follow else shown.first([hostile], NOW)
        said = sent.getvalue()
        assert not set(said) & set("\x1b\x07\x9b\x9d\r\x08\u202e\u200b\u2066")
        beginnings = {line[:5] for line in said.splitlines()}
        assert beginnings <= {"LEVEL", "ERROR", "     ", "12:13", ""}


class Answers:
    """A running serinus that gives these answers in turn."""

    url = "http://serinus:8080"

    def __init__(self, *answers: list[Row] | Exception | bytes) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def get(self, path: str) -> bytes:
        """The body of a GET."""
        self.asked.append(path)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, bytes):
            return answer
        return json.dumps({"templates": [_told(one) for one in answer], "next": None}).encode()


def _told(one: Row) -> dict[str, object]:
    return {name: getattr(one, name) for name in Row.__struct_fields__}


def test_what_comes_is_told_once_from_the_newest_known_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A server that is away meanwhile is waited for, said once, and nothing is missed."""
    new = [row(id=f"lt_{n}", came=f"2026-09-21T13:00:0{n}Z") for n in range(4)]
    away = CouldNotAskError("nobody answers.")
    server = Answers([new[0]], away, away, [new[2], new[1], new[0]], away, [new[3]])
    found = news(server, Wanted(service="a"), [row()], pause=lambda _: None)  # type: ignore[arg-type]
    assert [one.id for one in itertools.islice(found, 4)] == ["lt_0", "lt_1", "lt_2", "lt_3"]
    assert capsys.readouterr().err == "serinus: nobody answers. Waiting for it.\n" * 2
    assert "since=2026-09-21T12%3A13%3A21Z" in server.asked[0]
    assert "since=2026-09-21T13%3A00%3A02Z" in server.asked[-1]
    assert all("service=a" in path and "limit=500" in path for path in server.asked)


def test_one_template_in_two_services_is_two_news() -> None:
    """The same library fails in both."""
    both = [row(service="a"), row(service="b"), row(service="a", level="warn")]
    found = news(Answers(both, both), Wanted(), [], pause=lambda _: None)  # type: ignore[arg-type]
    assert len(list(itertools.islice(found, 3))) == 3


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b'{"templates": [{}], "next": null}', b"[]"]
)
def test_an_answer_that_is_none_is_told_with_the_server(body: bytes) -> None:
    """A proxy's error page is no list of templates."""
    with pytest.raises(CouldNotAskError, match=r"http://serinus:8080 gave no templates"):
        fetched(Answers(body), Wanted(), NOW)  # type: ignore[arg-type]


def test_what_is_asked_for_is_asked_as_it_was_said() -> None:
    """Blanks, signs and letters of any language reach the server."""
    wanted = Wanted(service="ä&b", level="warn", text="100 % =+#", since="3d", limit=7)
    assert wanted.path(NOW) == (
        "/v1/templates?service=%C3%A4%26b&level=warn&text=100+%25+%3D%2B%23"
        "&since=1789740800.0&limit=7"
    )
