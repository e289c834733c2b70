"""Which code judged: told apart by what it is, not by what it is called."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from pipelines.version import code_version, serinus_version
from tests.house.dockerfile import ROOT

TELL = "from pipelines.version import code_version; print(code_version())"


def elsewhere(folder: Path) -> str:
    """The digest that a copy of the house gives."""
    told = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); {TELL}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )
    return told.stdout.strip()


def test_other_code_has_another_digest_and_the_same_code_the_same(tmp_path: Path) -> None:
    """A replay that differs says whether the statistics changed, also between two releases."""
    for package in ("detector", "models", "pipelines"):
        skipped = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=skipped)
    same = elsewhere(tmp_path)
    (tmp_path / "pipelines" / "version.py").open("a").write("# how it is stored\n")
    assert elsewhere(tmp_path) == same
    (tmp_path / "models" / "counters.py").open("a").write("# how it is judged\n")
    assert elsewhere(tmp_path) != same


def test_it_is_sixteen_digits() -> None:
    """Short enough to be read out."""
    assert re.fullmatch(r"[0-9a-f]{16}", code_version())
    assert serinus_version()
