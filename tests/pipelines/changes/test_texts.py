"""Texts made of payloads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import ConfigError
from pipelines.changes.texts import Payload, check_text, first_text, text, value_at

BODY = {
    "a": {"b": [{"c.d": 5}, {"c": {"d": True}}], "n": None, "o": {}},
    "app.kubernetes.io/name": "cart",
    "image": "r.example:5000/shop/cart:v2@sha256:0123456789abcdef",
    "bare": "shop/cart@sha256:0123456789abcdef",
    "path": "/env/prod/",
    "long": "x" * 40,
    "lines": "first \nsecond",
}
PAYLOAD = Payload(body=BODY, headers={"x-event": "push"}, names={"found": "it"})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("plain", "plain"),
        ("{a.b.0.c.d}", "5"),
        ("{a.b.1.c.d}", "true"),
        ("{a.b.2.c}", None),
        ("{a.n}", None),
        ("{a.o}", None),
        ("{app.kubernetes.io/name}", "cart"),
        ("{@X-Event}-{found}", "push-it"),
        ("{@X-Other}", None),
        ("{image|tag}", "v2"),
        ("{bare|tag}", "0123456789ab"),
        ("{path|last}", "prod"),
        ("{long|short}", "x" * 12),
        ("{lines|line}", "first"),
        ("of {a.b.0.c.d} and {nothing}", None),
    ],
)
def test_places_are_filled_with_what_is_there(template: str, wanted: str | None) -> None:
    """A text that lacks a part is none: the next one of a list is taken."""
    assert text(template, PAYLOAD) == wanted


def test_the_first_text_that_can_be_filled_holds() -> None:
    """Senders leave out what they do not know."""
    assert first_text(("{nothing}", "{found}", "{path}"), PAYLOAD) == "it"
    assert first_text(("{nothing}",), PAYLOAD) == ""


@given(tree=JSON, path=st.text(alphabet="ab.01", max_size=30))
def test_any_path_into_any_body_is_answered(tree: Any, path: str) -> None:  # noqa: ANN401
    """A hostile body is read by paths of ours, and a mapping of a user's reads any body."""
    value_at(tree, path)


def test_a_value_in_a_text_is_not_read_as_a_text_again() -> None:
    """Else a pull request's title could fetch other fields, or the secret of a header."""
    payload = Payload(body={"title": "{@Authorization}"}, headers={"authorization": "s"}, names={})
    assert text("{title}", payload) == "{@Authorization}"


@pytest.mark.parametrize("template", ["{a", "a}", "{}", "{a|shout}", "{a|}"])
def test_a_text_that_cannot_be_filled_is_refused_when_it_is_read(template: str) -> None:
    """Not when the first payload comes at night."""
    with pytest.raises(ConfigError):
        check_text(template)
