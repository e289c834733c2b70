from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.dockerfile import ROOT

SCRIPTS = [*sorted((ROOT / "tools").glob("*.sh")), ROOT / ".ci" / "run"]

MADE = {"ARGS", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"}

scripts = pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.name))


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Without what the `make` that runs these tests was told, such as ARGS."""
    own = {name: value for name, value in os.environ.items() if name not in MADE}
    return subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env={**own, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def planned(*words: str) -> str:
    """What make would run for a target, without running it."""
    result = run("make", "--dry-run", "--always-make", *words)
    assert result.returncode == 0, result.stderr
    return result.stdout


@scripts
def test_script_is_ready_to_run(script: Path) -> None:
    """Executable, well formed, and it stops at the first error."""
    assert os.access(script, os.X_OK)
    assert run("bash", "-n", script).stderr == ""
    assert "set -euo pipefail" in script.read_text(encoding="utf-8")


@scripts
def test_script_is_clean(script: Path) -> None:
    """shellcheck finds what quoting hides."""
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed here: apt install shellcheck")
    result = run("shellcheck", script)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ((), "demo"),
        (("ONCE=1",), "demo --once"),
        (("PROMETHEUS=1",), "demo --prometheus"),
        (("FAULT=one-pod", "ONCE=1"), "demo --once --fault one-pod"),
    ],
    ids=["plain", "once", "prometheus", "fault"],
)
def test_demo_takes_what_the_readme_says(words: tuple[str, ...], arguments: str) -> None:
    """The variables of `make demo` become options of `serinus demo`."""
    plan = " ".join(planned("demo", *words).split())
    assert plan.endswith(f"serinus {arguments}")


def test_test_checks_before_it_runs() -> None:
    """Lint, types and architecture come first: they take seconds, and tests minutes."""
    plan = planned("test")
    order = [plan.index(word) for word in ("venv.sh dev", "ruff check", "mypy", "lint-imports")]
    assert order == sorted(order)
    assert plan.index("-m pytest") > order[-1]


def test_ci_runs_what_people_run() -> None:
    """A green build means that `make test` is green, and that the wheel works elsewhere."""
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert all(word in text for word in ("make test", "CI=true", "make wheel", 'python" -P'))


def test_old_python_is_refused_by_name(tmp_path: Path) -> None:
    """Somebody with Python 3.10 reads what to install, not a traceback of pip."""
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    result = run(ROOT / "tools/venv.sh", PYTHON=str(old), VENV=str(tmp_path / "venv"))
    assert result.returncode == 1
    assert "no Python 3.11 or newer" in result.stderr


@pytest.mark.parametrize("script", ["venv.sh", "servers.sh"])
def test_unknown_word_is_refused(script: str) -> None:
    """A misspelt word does not install something else."""
    result = run(ROOT / "tools" / script, "no-such-word")
    assert result.returncode == 1
    assert "no-such-word" in result.stderr
