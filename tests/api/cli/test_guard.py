from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from api.cli.guard import CouldNotAskError, guarded
from detector.errors import ConfigError, InputError, NotFoundError, SerinusError, StoreError
from tests.house.dockerfile import ROOT


def code_of(error: BaseException | None, result: int | None = None) -> int:
    """Exit code of a command that ends so."""

    @guarded
    def command() -> int | None:
        if error is not None:
            raise error
        return result

    with pytest.raises(SystemExit) as ended:
        command()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("bad", field="weight"), 2),
        (ConfigError("bad"), 2),
        (NotFoundError("bad"), 2),
        (CouldNotAskError("bad"), 4),
        (StoreError("bad"), 4),
        (SerinusError("bad"), 4),
        (RuntimeError("bad"), 4),
        (ModuleNotFoundError("bad"), 4),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_error_is_a_verdict(error: BaseException, code: int) -> None:
    """0 and 1 are kept for answers: a crash neither lets a rollout go on nor rolls it back."""
    assert code_of(error) == code


@pytest.mark.parametrize("result", [0, 1, 3, 75])
def test_result_is_the_exit_code(result: int) -> None:
    """What the command says is what the shell gets."""
    assert code_of(None, result) == result


def test_option_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A field of the interface is told as the option that was typed."""
    code_of(InputError("is no time", field="started_at"))
    assert capsys.readouterr().err == "serinus: --started-at: is no time\n"


def test_bug_is_told_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    """With its traceback, and with what it means for the rollout."""
    code_of(RuntimeError("oops"))
    told = capsys.readouterr().err
    assert "RuntimeError: oops" in told
    assert "nothing was decided" in told


def run(
    *words: str, cwd: Path, path: str | None = None, out: IO[bytes] | int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    """`serinus` in a process of its own, with another folder first on the path."""
    search = [str(ROOT)] if path is None else [path, str(ROOT)]
    code = "import sys; from api.cli import main; sys.argv[0] = 'serinus'; main()"
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(search)},
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )


def test_foreign_package_of_our_name_is_told(tmp_path: Path) -> None:
    """`models` is a plain word: somebody else's is named with its place, not by a traceback."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").touch()
    result = run("serve", cwd=tmp_path, path=str(tmp_path))
    assert result.returncode == 2
    assert str(tmp_path / "models") in result.stderr
    assert "Traceback" not in result.stderr


def test_foreign_package_is_told_by_check_too(tmp_path: Path) -> None:
    """Where the import itself fails."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").touch()
    ask = ["check", "--service", "a", "--canary", "b", "--prometheus", "http://127.0.0.1:9"]
    result = run(*ask, cwd=tmp_path, path=str(tmp_path))
    assert result.returncode == 2
    assert str(tmp_path / "models") in result.stderr


def test_folder_of_our_names_does_not_matter(tmp_path: Path) -> None:
    """`python -P` and the installed command do not look into the folder they are started in."""
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "__init__.py").write_text("raise SystemExit('mine')", encoding="utf-8")
    result = run("version", cwd=tmp_path)
    assert result.returncode == 0
    assert result.stdout.startswith("serinus ")


def test_reader_that_goes_away_is_no_verdict(tmp_path: Path) -> None:
    """`serinus check ... | head -0` ends quietly, and not with 0."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as out:
        result = run("version", cwd=tmp_path, out=out)
    assert result.returncode == 4
    assert result.stderr == ""
