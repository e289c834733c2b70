"""Every reason code has a section that says what to do, in the order in which codes are given."""

from __future__ import annotations

import re
from pathlib import Path

from detector.gate.reason import SIGNAL_NAMES, ReasonCode, up

PAGE = Path(__file__).resolve().parents[2] / "docs/troubleshooting.md"


def sections() -> dict[str, str]:
    """Code of each section with what it says."""
    parts = re.split(r"^#{2,3} ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    coded = (re.match(r"`([^`]+)`\n+(.*)", part, flags=re.DOTALL) for part in parts)
    return {match[1]: match[2].strip() for match in coded if match}


def test_every_code_has_its_section() -> None:
    """Somebody who reads a code in a log finds the page that explains it."""
    known = {*ReasonCode, "<signal>_up"}
    assert set(sections()) == known


def test_every_section_says_something() -> None:
    """A heading alone helps nobody."""
    assert not [code for code, text in sections().items() if len(text) < 60]


def test_codes_stand_in_the_order_in_which_they_are_given() -> None:
    """The page says that the first that holds is given: the enumeration's order."""
    told = [code for code in sections() if not code.startswith("<")]
    assert told == [code.value for code in ReasonCode]


def test_every_signal_is_named_with_its_code() -> None:
    """`tail95_up` is what people search for, not `<signal>_up`."""
    text = sections()["<signal>_up"]
    assert not [name for name in SIGNAL_NAMES if f"`{up(name)}`" not in text]
