"""Logs of containers: what runtimes put around the lines that programs wrote."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC

import msgspec

from pipelines.ingest.records.moments import at_of

__all__ = ["Unwrapped", "unwrap"]

_CRI = re.compile(
    rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))"
    rb" (stdout|stderr) ([FP])(?::\S*)? ?"
)


class _DockerLine(msgspec.Struct):
    log: str
    time: str
    stream: str = ""


_DOCKER = msgspec.json.Decoder(_DockerLine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwrapped:
    """A line as a container wrote it: `at` in unix ms; `is_whole` where its end is there too."""

    text: bytes
    at: int | None
    stream: str
    is_whole: bool


def unwrap(line: bytes) -> Unwrapped | None:
    """What a container wrote, out of a line of CRI or of Docker's json-file; None for others."""
    found = _CRI.match(line)
    if found is not None:
        return Unwrapped(
            text=line[found.end() :],
            at=at_of(found[1].decode(), UTC),
            stream=found[2].decode(),
            is_whole=found[3] == b"F",
        )
    return _of_docker(line) if line.startswith(b'{"log":') else None


def _of_docker(line: bytes) -> Unwrapped | None:
    try:
        read = _DOCKER.decode(line)
    except msgspec.DecodeError:
        return None
    return Unwrapped(
        text=read.log.encode().removesuffix(b"\n"),
        at=at_of(read.time, UTC),
        stream=read.stream,
        is_whole=read.log.endswith("\n"),
    )
