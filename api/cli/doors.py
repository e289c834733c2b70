"""Where a command asks: a running serinus, or a gate of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from api.cli.guard import CouldNotAskError
from detector.errors import ConfigError, InputError, StoreError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from api.cli.server import Server
    from api.settings import Settings
    from pipelines.flows.gate import Gate

T = TypeVar("T", bound="BaseModel")

__all__ = ["asking_gate", "asking_server", "desk", "filled", "server_of", "server_url"]


def server_url(server: str | None, *others: object | None) -> str | None:
    """The server that was named, or that of `SERINUS_SERVER` where nothing else was named."""
    if server is not None:
        return server
    if any(other is not None for other in others):
        return None
    return os.environ.get("SERINUS_SERVER") or None


@contextmanager
def server_of(url: str, *, tenant: str | None = None) -> Iterator[Server]:
    """A connection to a running serinus; `tenant` is whose streams are meant."""
    from api.cli.server import Server

    server = Server(url, tenant=tenant)
    try:
        yield server
    finally:
        server.close()


def asking_server(server: Server, fields: Mapping[str, object]) -> Callable[[], bytes]:
    """The question to a running serinus."""
    return lambda: server.post("/v1/verdicts", dict(fields))


@contextmanager
def asking_gate(
    settings: Settings, fields: Mapping[str, object], *, in_memory: bool
) -> Iterator[Callable[[], bytes]]:
    """The question to a gate of this process."""
    import msgspec

    from api.bodies.verdict import VerdictBody
    from api.compose import open_gate
    from detector.gate.render import verdict_body

    request = filled(VerdictBody, fields).request()
    opened = open_gate(settings, in_memory=in_memory)

    def ask() -> bytes:
        try:
            verdict = opened.gate.judge(request)
        except StoreError as error:
            raise CouldNotAskError(str(error)) from error
        return msgspec.json.encode(verdict_body(verdict, brief=False))

    try:
        yield ask
    finally:
        opened.close()


@contextmanager
def desk(data: Path | None) -> Iterator[Gate]:
    """A gate on the records of a data directory, without a source.

    Without `data` it is the place that `serinus serve` takes: the database of `SERINUS_STORE`, else
    the directory of `SERINUS_DATA`, else `./serinus-data`. `ConfigError` where there are no
    records.
    """
    from api.compose import open_records

    opened = open_records(_records(data))
    try:
        yield opened.gate
    finally:
        opened.close()


def _records(data: Path | None) -> Path | str:
    from api.compose import DATABASE

    shared = os.environ.get("SERINUS_STORE")
    if data is None and shared:
        return shared
    folder = data or Path(os.environ.get("SERINUS_DATA") or "serinus-data")
    if not (folder / DATABASE).is_file():
        raise ConfigError(
            f"there is no {DATABASE} in {folder}: give --data the directory of `serinus serve`, "
            "or --server its URL"
        )
    return folder


def filled(kind: type[T], fields: Mapping[str, object]) -> T:
    """A body of these fields; `InputError` names the first that is wrong."""
    from pydantic import ValidationError

    from api.wording import words_of

    try:
        return kind.model_validate(dict(fields))
    except ValidationError as error:
        first = error.errors()[0]
        place = [str(part) for part in first["loc"] if part not in {"name", "inline"}]
        raise InputError(words_of(first), field=".".join(place), semantic=True) from error
