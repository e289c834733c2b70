from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from detector.errors import ConfigError
from pipelines import names
from pipelines.names import PACKAGES, NameConflict, check_names, find_conflicts

HOME = Path("/site")
CHECKOUT = Path(names.__file__).resolve().parent.parent


def ours(name: str) -> Path:
    return HOME / name


def nobody(name: str, location: Path) -> Sequence[str]:
    return ()


def write_distribution(site: Path, owner: str, name: str) -> None:
    """What pip leaves behind after installing `owner` with one top-level package."""
    (site / name).mkdir(parents=True)
    (site / name / "__init__.py").write_text("")
    info = site / f"{owner}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {owner}\nVersion: 1.0\n")
    (info / "RECORD").write_text(f"{name}/__init__.py,,\n{owner}-1.0.dist-info/METADATA,,\n")


def run_with(path: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run `code` where `path` comes before our packages."""
    environment = dict(os.environ, PYTHONPATH=f"{path}{os.pathsep}{CHECKOUT}")
    command = [sys.executable, "-P", "-c", code]
    return subprocess.run(
        command, cwd=path, env=environment, capture_output=True, text=True, check=False
    )


def test_this_environment_is_ours() -> None:
    """The start-up check lets a sound installation start."""
    check_names()


def test_names_in_our_home_are_no_conflict() -> None:
    """Four packages beside each other, installed by nobody else."""
    assert find_conflicts(home=HOME, locate=ours, owners=nobody) == ()


@pytest.mark.parametrize("stolen", PACKAGES)
def test_name_imported_from_elsewhere_is_a_conflict(stolen: str) -> None:
    """A folder `models` in the working directory must not become our engine."""
    other = Path("/elsewhere") / stolen

    def locate(name: str) -> Path:
        return other if name == stolen else ours(name)

    (conflict,) = find_conflicts(home=HOME, locate=locate, owners=nobody)
    assert conflict == NameConflict(name=stolen, owner=None, location=str(other))


def test_missing_name_is_a_conflict() -> None:
    """Half an installation says which half is gone."""

    def locate(name: str) -> Path | None:
        return None if name == "detector" else ours(name)

    (conflict,) = find_conflicts(home=HOME, locate=locate, owners=nobody)
    assert str(conflict) == "`detector` is imported from nowhere"


def test_second_owner_of_our_folder_is_named() -> None:
    """Two distributions that unpack into one folder overwrite each other."""

    def owners(name: str, location: Path) -> Sequence[str]:
        return ("other-api", "serinus") if name == "api" else ("serinus",)

    (conflict,) = find_conflicts(home=HOME, locate=ours, owners=owners)
    assert str(conflict) == "`api` is also installed by other-api (in /site/api)"


def test_message_says_what_to_do() -> None:
    """The person who meets it needs the next move."""
    text = names.explain([NameConflict(name="api", owner="other-api", location="/site/api")])
    assert "other-api" in text
    assert "python3 -m venv" in text


def test_installer_is_found_by_its_record(tmp_path: Path) -> None:
    """What pip wrote beside the package tells whose it is."""
    write_distribution(tmp_path, "Other_Models", "models")
    code = (
        "from pathlib import Path; from pipelines.names import installers;"
        f"print(*installers()('models', Path({str(tmp_path / 'models')!r})))"
    )
    assert run_with(tmp_path, code).stdout.strip() == "other-models"


@pytest.mark.parametrize(
    "record",
    ["models.py,sha256=x,1\n", '"models/a,b.py",,\n', "a/x.py,,\nmodels/sub/x.py,,\n"],
    ids=["a-module", "a-comma", "no-init"],
)
def test_installer_is_found_by_any_file_that_it_recorded(tmp_path: Path, record: str) -> None:
    """A module or a folder without `__init__.py` stands in our way as well."""
    write_distribution(tmp_path, "other", "models")
    (tmp_path / "other-1.0.dist-info" / "RECORD").write_text(record)
    assert list(names.installers()("models", tmp_path / "models")) == ["other"]


@pytest.mark.parametrize(
    "record", ["models_of_others/x.py,,\n", "my/models/x.py,,\n", "models.pyi,,\n", ""]
)
def test_installer_of_a_name_that_is_like_ours_does_not_count(tmp_path: Path, record: str) -> None:
    """`models_of_others` and a folder `models` inside of a package are their own affair."""
    write_distribution(tmp_path, "other", "models")
    (tmp_path / "other-1.0.dist-info" / "RECORD").write_text(record)
    assert list(names.installers()("models", tmp_path / "models")) == []


def test_what_says_its_import_names_is_believed(tmp_path: Path) -> None:
    """Older tools leave `top_level.txt` behind, and no list of files."""
    write_distribution(tmp_path, "other", "models")
    info = tmp_path / "other-1.0.dist-info"
    (info / "RECORD").unlink()
    (info / "top_level.txt").write_text("something\nmodels\n")
    assert list(names.installers()("models", tmp_path / "models")) == ["other"]


def test_installer_of_another_place_does_not_count(tmp_path: Path) -> None:
    """A `models` that loses to ours on the path is no reason not to start."""
    write_distribution(tmp_path, "other", "models")
    code = (
        "from pathlib import Path; from pipelines.names import installers;"
        f"print(*installers()('models', Path({str(CHECKOUT / 'models')!r})))"
    )
    assert "other" not in run_with(tmp_path, code).stdout


def test_stranger_before_us_on_the_path_stops_the_start(tmp_path: Path) -> None:
    """The real thing: another distribution's `models` is found first."""
    write_distribution(tmp_path, "other", "models")
    result = run_with(tmp_path, "from pipelines.names import check_names; check_names()")
    assert result.returncode == 1
    assert "`models` is also installed by other" in result.stderr


def test_file_counts_as_a_place(tmp_path: Path) -> None:
    """A stray models.py shadows a package just as well."""
    (tmp_path / "models.py").write_text("")
    code = "from pipelines.names import imported_from; print(imported_from('models'))"
    assert run_with(tmp_path, code).stdout.strip() == str(tmp_path / "models.py")


def test_unknown_name_is_found_nowhere() -> None:
    """No package, no place, no exception."""
    assert names.imported_from("no_such_package_of_ours") is None


def test_conflicts_become_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line turns `ConfigError` into exit code 2 and one line."""
    monkeypatch.setattr(names, "PACKAGES", (*PACKAGES, "no_such_package_of_ours"))
    with pytest.raises(ConfigError, match="no_such_package_of_ours"):
        check_names()
