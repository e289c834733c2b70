"""The documentation as a site: it builds without a warning, has every page, and tells the truth."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.reference import pages

pytestmark = pytest.mark.docs

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def navigation() -> set[str]:
    """The documents that the site's navigation names."""
    told: Any = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    return set(_leaves(told["nav"]))


def _leaves(entry: object) -> list[str]:
    match entry:
        case str():
            return [entry]
        case dict():
            return [leaf for part in entry.values() for leaf in _leaves(part)]
        case list():
            return [leaf for part in entry for leaf in _leaves(part)]
    raise TypeError(f"a navigation has no {entry!r}")


@pytest.mark.parametrize("name", pages())
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    """A key that changed its default would be documented wrongly; `make reference` mends it."""
    assert (DOCS / "reference" / name).read_text(encoding="utf-8") == pages()[name]


def test_every_document_is_found_from_the_navigation() -> None:
    """A page that nobody can reach was written for nobody."""
    there = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    assert navigation() == there


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """A dead link is found here and not by a reader at night."""
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    shutil.copytree(DOCS, tmp_path / "docs")
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    built = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    page = (tmp_path / "build" / "site" / "reference" / "policy.html").read_text(encoding="utf-8")
    assert "min_total_s" in page
