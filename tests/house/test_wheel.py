from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipelines.names import PACKAGES
from tests.house.dockerfile import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Our wheel, built as `make wheel` does."""
    target = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "wheel", *options, "-w", str(target), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    (built,) = target.glob("serinus-*.whl")
    return zipfile.ZipFile(built)


def shipped_files() -> set[str]:
    """Everything below our packages that is not a leftover of running them."""
    return {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_wheel_holds_every_file(wheel: zipfile.ZipFile) -> None:
    """Packs, templates and migrations are there, not only the modules."""
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert inside == shipped_files()


def test_wheel_has_the_command(wheel: zipfile.ZipFile) -> None:
    """Installing it puts `serinus` on the path."""
    (name,) = (n for n in wheel.namelist() if n.endswith("entry_points.txt"))
    assert "serinus = api.cli:main" in wheel.read(name).decode()


def test_wheel_carries_its_licence(wheel: zipfile.ZipFile) -> None:
    """Apache-2.0 asks for it."""
    (name,) = (n for n in wheel.namelist() if Path(n).name == "LICENSE")
    assert b"Apache License" in wheel.read(name)
