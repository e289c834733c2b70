"""What the client loads: pandas once a frame is asked for, and the engine once it judges."""

from __future__ import annotations

import pytest

from tests.api.cli.test_imports import loaded

pytestmark = pytest.mark.slow

HEAVY = {"fastapi", "numba", "pandas", "plotly", "sklearn", "sqlalchemy", "starlette", "uvicorn"}


def test_importing_the_client_loads_no_heavy_package() -> None:
    """A script that may not need it starts at once."""
    assert loaded("from api import client") & HEAVY == set()


def test_a_verdict_needs_neither_a_store_nor_a_web_server() -> None:
    """The engine is used as a library."""
    code = "from api import client; client.judge(client.examples.rollout(seed=1, minutes=5))"
    assert loaded(code) & {"fastapi", "plotly", "sqlalchemy", "uvicorn"} == set()


def test_the_command_line_does_not_load_the_client() -> None:
    """`serinus --help` stays as quick as it was."""
    code = "import api.cli.commands; assert 'api.client' not in sys.modules"
    assert "pandas" not in loaded(code)
