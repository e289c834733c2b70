"""The map of the house in CONTRIBUTING.md: what it names is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.shape.test_shape import PACKAGES, ROOT

ROW = re.compile(r"^\| [^|]+ \| `(?P<room>[a-z/]+)` \| (?P<modules>`[^|]+`) \|$", re.MULTILINE)


def named() -> Iterator[Path]:
    """Every module of the table under `A question on its way`."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("### A question on its way")[1].split("\n### ")[0]
    for row in ROW.finditer(table):
        for module in re.findall(r"`([a-z_/]+)`", row["modules"]):
            yield ROOT / row["room"] / f"{module}.py"


def test_every_module_on_the_map_is_there() -> None:
    """Whoever looks where the map says finds a file, also after one was split or renamed."""
    gone = [str(path.relative_to(ROOT)) for path in named() if not path.is_file()]
    assert not gone, "\n".join(gone)


def test_the_map_leads_through_every_package() -> None:
    """A table whose rows are no longer understood would name nothing, and seem true."""
    rooms = {path.relative_to(ROOT).parts[0] for path in named()}
    assert rooms == set(PACKAGES)


def test_no_module_stands_on_the_map_twice() -> None:
    """A module with two places in the way of a question has two jobs."""
    places = list(named())
    assert len(places) == len(set(places))
