from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shape.measure import Measured, has_module_docstring, measure, quantile

EXAMPLE = '''
"""A module."""

class Door:
    """A door."""

    width: int = 3

    def open(self, far: bool = True) -> None:
        """Open it.

        Wide.
        """

        # why not
        if far:
            text = """two
            lines"""

            print(text)

    def shut(self, hard):
        def slam() -> None:
            pass
        slam()
'''


def one(source: str) -> Measured:
    return measure(textwrap.dedent(source), "x.py")[0]


def by_name(source: str) -> dict[str, Measured]:
    return {found.name: found for found in measure(source, "x.py")}


def test_blank_comment_and_docstring_lines_do_not_count() -> None:
    """Explaining more never makes a function too long."""
    assert by_name(EXAMPLE)["Door.open"].lines == 5


def test_nested_functions_count_in_their_parent() -> None:
    """Moving code into a closure does not shorten what one has to read."""
    assert by_name(EXAMPLE)["Door.shut"].lines == 4


def test_class_counts_its_methods() -> None:
    """A class is as long as what is in it."""
    assert by_name(EXAMPLE)["Door"].lines == 11


def test_function_in_a_function_is_private() -> None:
    """Only what can be imported needs a docstring."""
    assert not by_name(EXAMPLE)["Door.shut._inner.slam"].is_public


@pytest.mark.parametrize(
    ("source", "typed"),
    [
        ("def f(a: int, *b: int, c: int, **d: int) -> int: ...", True),
        ("def f(): ...", False),
        ("def f(a) -> None: ...", False),
        ("def f(*a) -> None: ...", False),
        ("def f(*, a) -> None: ...", False),
        ("async def f(a: int, /) -> None: ...", True),
    ],
)
def test_every_parameter_and_return_needs_a_type(source: str, typed: bool) -> None:
    """One missing annotation makes a function untyped."""
    assert one(source).is_typed is typed


def test_self_needs_no_type() -> None:
    """Nobody annotates self."""
    assert by_name("class A:\n    def f(self) -> int: ...")["A.f"].is_typed


def test_self_of_a_plain_function_needs_a_type() -> None:
    """Only a method has a receiver."""
    assert not one("def f(self) -> int: ...").is_typed


@pytest.mark.parametrize("decorator", ["overload", "typing.overload"])
def test_overload_stubs_are_skipped(decorator: str) -> None:
    """An overload is a type, not a function."""
    assert measure(f"@{decorator}\ndef f(a: int) -> int: ...", "x.py") == []


def test_module_docstring_is_seen() -> None:
    """A module says what it is for."""
    assert has_module_docstring(EXAMPLE)
    assert not has_module_docstring("x = 1")


@given(st.lists(st.integers(0, 100), min_size=1), st.floats(0, 0.99))
def test_quantile_is_a_value_that_enough_do_not_exceed(values: list[int], share: float) -> None:
    """The median and p90 that are printed are lengths of real functions."""
    found = quantile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)


def test_quantile_of_nothing_is_zero() -> None:
    """An empty package has no long function."""
    assert quantile([], 0.5) == 0
