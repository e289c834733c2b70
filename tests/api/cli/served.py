"""The real app over HTTP in this process, and the command line asked as a shell would."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from typer.testing import CliRunner, Result

from api.cli.commands import app as commands

__all__ = ["serinus", "serving"]

# What a person's shell may have set must not reach a test.
UNSET: Mapping[str, str | None] = {
    "SERINUS_SERVER": None,
    "SERINUS_TOKEN": None,
    "SERINUS_CONFIG": None,
    "SERINUS_DATA": None,
}


def serinus(*words: str, **environment: str) -> Result:
    """Run one command in this process."""
    return CliRunner().invoke(commands, list(words), env={**UNSET, **environment})


@contextmanager
def serving(app: FastAPI, port: int = 0) -> Iterator[str]:
    """URL of the app; the socket listens before the server runs, so nobody has to wait."""
    with socket.create_server(("127.0.0.1", port)) as door:
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=10)
