from __future__ import annotations

import subprocess
import sys

import pytest

from tests.house.dockerfile import ROOT

pytestmark = pytest.mark.slow

HEAVY = {
    "alembic", "fastapi", "numpy", "pandas", "plotly", "prometheus_api_client", "pydantic",
    "requests", "scipy", "sqlalchemy", "starlette", "uvicorn", "yaml",
}  # fmt: skip


def loaded(code: str) -> set[str]:
    """Top-level modules that are loaded after some code."""
    listing = f"import sys; {code}; print(*sorted({{n.partition('.')[0] for n in sys.modules}}))"
    result = subprocess.run(
        [sys.executable, "-c", listing],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(result.stdout.split())


def test_importing_the_command_line_loads_nothing_of_others() -> None:
    """`serinus --help` in a pipeline costs no second."""
    ours = {"api", "detector", "models", "pipelines"}
    plain = loaded("pass")
    strangers = loaded("import api.cli") - plain - ours - set(sys.stdlib_module_names)
    assert strangers == set()


def test_commands_load_no_heavy_package() -> None:
    """What a command needs is imported when that command is called."""
    assert loaded("import api.cli.commands") & HEAVY == set()


def test_asking_a_server_loads_no_engine() -> None:
    """`serinus check --server` needs neither the statistics nor a store."""
    code = "import api.cli.checking, api.cli.server, api.cli.report"
    assert loaded(code) & (HEAVY - {"pydantic"}) == set()


def test_judging_here_loads_what_it_needs_only() -> None:
    """`serinus check --prometheus` has no store and no web server, and inverts no distribution."""
    code = "import api.cli.checking, api.cli.doors, api.compose, api.bodies.verdict"
    code += "; import pipelines.stores.memory, pipelines.sources.prometheus"
    assert loaded(code) & {"alembic", "fastapi", "plotly", "sqlalchemy", "uvicorn"} == set()
    assert not inverts(code)


def test_serving_inverts_no_distribution_yet() -> None:
    """A tenth of the start of a server, for quantiles that few requests ask for."""
    assert not inverts("import api.serving, api.streaming, api.cli.serving")


def inverts(code: str) -> bool:
    """Whether scipy's functions are loaded after some code; numba asks for scipy's name alone."""
    return "yes" in loaded(f"{code}; 'scipy.special' in sys.modules and print('yes')")
