"""`serinus export`: the evidence of a verdict, as one file."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import quote

from api.cli.doors import desk, server_of, server_url
from api.cli.guard import Code
from detector.errors import ConfigError, InputError
from pipelines.flows.evidence import FILE_MAX

__all__ = ["evidence_of", "export", "written"]


def export(id: str, *, output: Path | None, server: str | None, data: Path | None) -> int:
    """Write the file; `-` is standard output."""
    file = _fetched(id, server, data)
    if output == Path("-"):
        sys.stdout.buffer.write(file)
        return Code.PASS
    written(output or Path(f"{id}.serinus"), file, option="--output")
    return Code.PASS


def evidence_of(target: str, server: str | None, data: Path | None) -> bytes:
    """The evidence file at a path, or of the verdict of an id."""
    path = Path(target)
    if path.is_file():
        return _read(path)
    if path.suffix or len(path.parts) > 1:
        raise ConfigError(
            f"there is no file {target}; give the id of a verdict or an evidence file"
        )
    return _fetched(target, server, data)


def written(path: Path, file: bytes, *, option: str) -> None:
    """Write it and say so; `ConfigError` names the option."""
    try:
        path.write_bytes(file)
    except OSError as error:
        raise ConfigError(f"{option}: cannot write {path}: {error.strerror}") from error
    print(f"evidence written to {path} ({_size(len(file))})", file=sys.stderr)


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > FILE_MAX:
            raise InputError(
                f"{path} has {_size(size)}, more than the {_size(FILE_MAX)} that are read",
                field="file",
            )
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error


def _fetched(id: str, server: str | None, data: Path | None) -> bytes:
    url = server_url(server, data)
    if url is None:
        with desk(data) as gate:
            return gate.records.export(id)
    with server_of(url) as place:
        return place.get(f"/v1/verdicts/{quote(id, safe='')}/evidence")


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{count / 2**10:.1f} KB"
