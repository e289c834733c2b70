"""A text is shown as it is: nothing in it moves a cursor, turns a direction, hides or forges."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.plain import LINE_END, plain
from detector.logs.redaction import redacted

ESC, CSI = "\x1b", "\x9b"
SHOWN = {
    "a colour": (f"{ESC}[31mred{ESC}[0m", "red"),
    "a colour of many": (f"{ESC}[38;2;255;0;0mred{ESC}[m", "red"),
    "a screen that is cleared": (f"a{ESC}[2J{ESC}[Hb", "ab"),
    "a cursor that goes up": (f"paid{ESC}[1A{ESC}[2Krefused", "paidrefused"),
    "a command in one byte": (f"a{CSI}31mb", "ab"),
    "a title": (f"a{ESC}]0;root@prod\x07b", "ab"),
    "a link": (f"{ESC}]8;;https://evil.example\x1b\\click{ESC}]8;;\x1b\\", "click"),
    "a device's string": (f"a{ESC}Pq#0;2\x1b\\b", "ab"),
    "a clipboard": (f"a{ESC}]52;c;cm0gLXJm\x07b", "ab"),
    "a reset": (f"a{ESC}cb", "ab"),
    "a command that is cut off": (f"a{ESC}[31", "a"),
    "another alphabet's set": (f"a{ESC}(0b", "ab"),
    "a carriage that returns": ("paid\rrefused", "paid␍refused"),
    "a backspace": ("paid\x08\x08no", "paid␈␈no"),
    "a bell": ("a\x07b", "a␇b"),
    "a nothing": ("a\x00b", "a␀b"),
    "a delete": ("a\x7fb", "a␡b"),
    "a tab": ("a\tb", "a b"),
    "a line": ("a\nb", "a␊b"),
    "a line of Windows": ("a\r\nb", "a␊b"),
    "a line of Unicode": ("a\u2028b\u2029c\x85d", "a␊b␊c␊d"),
    "a form": ("a\x0cb\x0bc", "a␊b␊c"),
    "a turned direction": ("user \u202egpj.exe\u202c", "user gpj.exe"),
    "an isolate": ("\u2067abc\u2069", "abc"),
    "a mark of direction": ("a\u200e\u200fb\u061c", "ab"),
    "no width": ("ad\u200bmin\u2060\ufeff", "admin"),
    "a soft hyphen": ("ad\u00admin", "admin"),
    "tags": ("a\U000e0041\U000e0042b", "ab"),
    "half a character": ("a\ud83db", "a\ufffdb"),
    "an old control": ("a\x90b", "a\ufffdb"),
}
KEPT = [
    "日本語のログ",
    "Grüße aus Köln",
    "שלום עולם",
    "مرحبا بالعالم",
    "हिन्दी में लॉग",
    "👨\u200d👩\u200d👧 ok",
    "caf\u00e9 \u20ac 12,50",
    "a␊b",
]
ANY = st.text(st.characters(), max_size=120)
PIECES = st.lists(
    st.sampled_from([one for one, _ in SHOWN.values()] + [ESC, CSI, "[", "]", "m", "\x07", "0;"]),
    max_size=12,
).map("".join)


@pytest.mark.parametrize(("text", "wanted"), SHOWN.values(), ids=SHOWN)
def test_what_acts_or_hides_is_taken_out_or_shown(text: str, wanted: str) -> None:
    """A line of a log would write what an operator reads on the terminal."""
    assert plain(text) == wanted
    assert redacted(text) == wanted


@pytest.mark.parametrize("text", KEPT)
def test_what_people_write_stays(text: str) -> None:
    """Whoever writes in another alphabet could not read the own logs."""
    assert plain(text) == text


@pytest.mark.parametrize("hidden", [one for one, _ in SHOWN.values() if len(one) > 4])
def test_a_secret_is_found_through_what_hides_it(hidden: str) -> None:
    """A colour in the middle of a key would switch redaction off for it."""
    assert "hunter2x" not in redacted(f"{hidden}\npass{ESC}[1mword{ESC}[0m=hunter2x")
    assert "hunter2x" not in redacted(f"{hidden}\npass\u200bword=hunter2x")
    assert "example.org" not in redacted(f"{hidden}\nto ann\u2060@example.org")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "</td></tr><a href='javascript:alert(1)'>x</a>",
        "{{ config }} ${jndi:ldap://x/a} #{7*7}",
    ],
)
def test_markup_stays_what_was_written(text: str) -> None:
    """Pages escape what they show: escaped here it would be read as `&lt;` by who is woken."""
    assert redacted(text) == text


@given(st.one_of(ANY, PIECES))
def test_plain_is_plain_whatever_it_is_made_of(text: str) -> None:
    """One character that was forgotten would be enough."""
    shown = plain(text)
    unseen = [one for one in shown if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp")]
    assert unseen == []
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.bidirectional(one) in ("RLO", "LRO", "RLI", "LRI") for one in shown)


@given(st.one_of(ANY, PIECES))
def test_plain_is_not_longer_and_the_same_when_done_again(text: str) -> None:
    """What is stored and what is shown would be two texts."""
    once = plain(text)
    assert len(once) <= len(text)
    assert plain(once) == once


@given(st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=20)))
def test_each_line_end_is_one_sign(lines: list[str]) -> None:
    """A stack trace could not be shown in lines again."""
    for end in ("\n", "\r\n", "\u2028"):
        assert plain(end.join(lines)).split(LINE_END) == (lines or [""])
