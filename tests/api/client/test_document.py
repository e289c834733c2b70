"""The page about the client: every column, call and exception that there is, and no other."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from api import client
from api.client import columns
from api.client.columns import Dtype

PAGE = (Path(__file__).resolve().parents[3] / "docs/python.md").read_text(encoding="utf-8")
WORDS = {
    "text": Dtype.TEXT,
    "time": Dtype.TIME,
    "number": Dtype.NUMBER,
    "count": Dtype.COUNT,
    "flag": Dtype.FLAG,
}
FRAMES = [name for name in columns.__all__ if name.isupper()]
CALLS = [
    name
    for name, member in inspect.getmembers(client.Client, inspect.isfunction)
    if not name.startswith("_") and name != "close"
]


def section(title: str) -> str:
    """The text under a heading."""
    return re.split(r"\n#+ ", PAGE.split(f"\n### {title}\n")[1])[0]


@pytest.mark.parametrize("name", FRAMES)
def test_every_column_of_a_frame_is_told_with_its_type(name: str) -> None:
    """In any order, each once."""
    rows = re.findall(r"^\| (`[^|]+`) \| (\w+) \|", section(name.capitalize()), re.MULTILINE)
    told = {column: WORDS[word] for names, word in rows for column in re.findall(r"`(\w+)`", names)}
    assert told == {one.name: one.dtype for one in getattr(columns, name)}


def test_the_words_for_types_are_those_of_pandas() -> None:
    """A reader can compare them with `frame.dtypes`."""
    told = dict(re.findall(r"^\| (\w+) \| `([^`]+)` \|$", PAGE, re.MULTILINE))
    assert told == {word: dtype.value for word, dtype in WORDS.items()}


@pytest.mark.parametrize("name", CALLS)
def test_every_call_is_told_with_its_words(name: str) -> None:
    """Those that choose what is listed."""
    (told,) = re.findall(rf"^\| `{name}\(([^)]*)\)` \|", PAGE, re.MULTILINE)
    words = set(re.findall(r"(\w+)=", told))
    known = inspect.signature(getattr(client.Client, name)).parameters
    assert words <= set(known)
    if "since" in known:
        assert words == set(known) - {"self", "limit"}


def test_every_exception_is_told() -> None:
    """With what it means."""
    told = set(re.findall(r"`client\.(\w+Error)`", PAGE))
    assert told == {name for name in client.__all__ if name.endswith("Error")}


@pytest.mark.parametrize("name", client.__all__)
def test_every_name_is_on_the_page(name: str) -> None:
    """What is not told of is not used."""
    told = {"Chart", "Backtest", "CapacityReport", "Verdict"}
    assert name in told or re.search(rf"\b{name}\b", PAGE)
