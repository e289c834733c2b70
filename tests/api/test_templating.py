"""Templates as pages are made of them, and data within a page's script."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from api.templating import inlined, templates_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(VALUES)
def test_data_cannot_end_the_script_that_it_is_in(value: object) -> None:
    """Nor is it another value for that."""
    text = inlined(value)
    assert "<" not in text
    assert json.loads(text) == value


def test_what_is_told_is_text() -> None:
    """And no element of the page."""
    template = templates_of("api.ui").from_string("<p>{{ told }}</p>")
    assert template.render(told="<script>") == "<p>&lt;script&gt;</p>"


def test_what_is_not_given_is_an_error() -> None:
    """A page with a hole in it would look whole."""
    with pytest.raises(UndefinedError):
        templates_of("api.ui").from_string("{{ told }}").render()
