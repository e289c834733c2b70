from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from pipelines.names import PACKAGES

ROOT = Path(__file__).resolve().parent.parent
OTHER_FOLDERS = {"bench", "deploy", "docs", "notebooks", "tests", "tools"}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9-]+):", makefile, flags=re.MULTILINE))


def test_packages_on_disk_are_the_list() -> None:
    """A fifth top-level package would be outside every architecture contract."""
    on_disk = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert on_disk == set(PACKAGES)


def test_every_folder_is_known() -> None:
    """A folder that nobody planned is a room without a rule."""
    tracked = {p.name for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith(".")}
    built = {"build", "dist", "htmlcov", "serinus-data", "__pycache__"}
    assert tracked - built <= set(PACKAGES) | OTHER_FOLDERS


def test_wheel_holds_the_packages() -> None:
    """What the contracts know is what is shipped."""
    wheel = project()["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["packages"]) == set(PACKAGES)


def test_contracts_know_the_packages() -> None:
    """import-linter looks at all of them and ignores nothing."""
    linter = project()["tool"]["importlinter"]
    assert set(linter["root_packages"]) == set(PACKAGES)
    assert not [c["id"] for c in linter["contracts"] if "ignore_imports" in c]


@pytest.mark.parametrize("package", PACKAGES)
def test_package_is_typed(package: str) -> None:
    """Without py.typed a user's mypy sees nothing of our types."""
    assert (ROOT / package / "py.typed").exists()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_source_folder_is_a_package(package: str) -> None:
    """A folder without __init__.py escapes the shipped tests of the import contracts."""
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    assert not [str(folder) for folder in folders if not (folder / "__init__.py").exists()]


def locked() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = (line.split("==") for line in lines if "==" in line)
    return {name.lower().replace("_", "-"): Version(version) for name, version in pinned}


def requirements() -> list[Requirement]:
    meta = project()["project"]
    wanted = [*meta["dependencies"], *meta["optional-dependencies"]["dev"]]
    return [Requirement(line) for line in wanted]


@pytest.mark.parametrize("requirement", requirements(), ids=lambda r: str(r.name))
def test_lock_meets_the_range(requirement: Requirement) -> None:
    """`make lock` was run after the last change of a dependency."""
    assert locked()[requirement.name].release
    assert locked()[requirement.name] in requirement.specifier


def test_lock_names_versions_only() -> None:
    """A lock with a place in it works on one machine."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) for line in lines)


def test_entry_points_load() -> None:
    """A plug-in of ours that does not import would only be noticed at a user's."""
    groups = project()["project"].get("entry-points", {})
    for group, points in groups.items():
        for name, value in points.items():
            assert importlib.metadata.EntryPoint(name, value, group).load() is not None


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_make_commands_exist(name: str) -> None:
    """Every `make x` that we tell a person to type is a target."""
    text = (ROOT / name).read_text(encoding="utf-8")
    told = set(re.findall(r"(?:^|`|\$ )make ([a-z0-9][a-z0-9-]*)", text, flags=re.MULTILINE))
    assert told
    assert told <= make_targets()


def test_links_between_documents_lead_somewhere() -> None:
    """A relative link in a document names a file of this tree."""
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tools").glob("*.md")]
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
        if ":" not in target and not (document.parent / target).exists()
    ]
    assert not broken, "\n".join(broken)
