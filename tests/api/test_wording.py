"""What is said of a value that cannot be used."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from api.bodies.decision import OverrideBody
from api.bodies.loose import Flag, Moment, Number, Word
from api.bodies.verdict import VerdictBody
from api.wording import words_of


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Body(BaseModel):
    """A field of each kind that bodies and queries have."""

    moment: Moment = None
    number: Number = None
    word: Word = None
    flag: Flag = None
    colour: Colour = Colour.RED
    size: Literal["s", "m"] = "s"
    count: Annotated[int, Field(ge=1, le=500)] = 1


NO_TIME = "is no time: give ISO 8601 with a zone, such as 2026-11-23T14:00:00Z"


def said(**fields: object) -> str:
    """The words of the one error."""
    with pytest.raises(ValidationError) as caught:
        Body.model_validate(fields)
    [error] = caught.value.errors()
    return words_of(error)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"moment": "yesterday"}, f"'yesterday' {NO_TIME}"),
        ({"moment": "2026-13-45T00:00:00Z"}, f"'2026-13-45T00:00:00Z' {NO_TIME}"),
        ({"moment": "1e300"}, f"'1e300' {NO_TIME}"),
        (
            {"moment": "2026-11-23T14:00:00"},
            "'2026-11-23T14:00:00' names no zone: write 2026-11-23T14:00:00Z",
        ),
        ({"number": "a fifth"}, "'a fifth' is no number"),
        ({"number": [1]}, "[1] is no number"),
        ({"number": "nan"}, "must be a finite number"),
        ({"number": True}, "is true or false where a number is asked for"),
        ({"word": 5}, "must be text"),
        ({"word": "x" * 513}, "has more than 512 characters"),
        ({"word": "a\x00"}, "contains control characters"),
        ({"colour": "green"}, "'green' is not 'red' or 'blue'"),
        ({"size": "xl"}, "'xl' is not 's' or 'm'"),
        ({"count": 0}, "must be >= 1"),
        ({"count": 501}, "must be <= 500"),
        ({"count": "many"}, "'many' is no number"),
    ],
)
def test_a_person_reads_what_was_sent_and_what_to_send(
    fields: dict[str, object], words: str
) -> None:
    """Nobody has to know the words of a schema to mend a field."""
    assert said(**fields) == words


def test_a_span_that_cannot_be_read_is_shown() -> None:
    """Of several options a person sees which one was mistyped."""
    decision = {"outcome": "pass", "person": "ada", "reason": "why", "for": "1x"}
    with pytest.raises(ValidationError) as caught:
        OverrideBody.model_validate(decision)
    told = words_of(caught.value.errors()[0])
    assert told == "'1x' is no span of time: write 90s, 45m, 2h or 1d"


def test_a_long_value_is_told_by_its_begin() -> None:
    """A field that took a whole file does not fill the log with it."""
    assert len(said(moment="x" * 5000)) < 200


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text())
)
FIELDS = st.dictionaries(st.sampled_from(sorted(VerdictBody.model_fields)), JUNK)


def refusals(fields: dict[str, object]) -> list[ErrorDetails]:
    """What is wrong with a question."""
    try:
        VerdictBody.model_validate(fields)
    except ValidationError as error:
        return error.errors()
    return []


@given(FIELDS)
def test_whatever_is_sent_there_are_words_for_it(fields: dict[str, object]) -> None:
    """No value makes the explanation of an error an error itself."""
    told = [words_of(error) for error in refusals(fields)]
    assert all(words and "Input should" not in words for words in told), told
