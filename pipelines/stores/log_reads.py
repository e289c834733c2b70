"""How far sources of lines were read, kept beside a sink that does not keep it itself."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec

from detector.errors import StoreError
from detector.logs.lines import LogLines
from detector.logs.ports import LogSink

__all__ = ["ReadsBeside"]


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    version: int = 1
    # By tenant, then by source: unix nanoseconds.
    reads: dict[str, dict[str, int]] = {}


class ReadsBeside:
    """`ReadLogSink` of any sink, with a small file that is replaced as a whole.

    The file follows the lines: a process that dies between the two takes one batch once more.
    """

    def __init__(self, sink: LogSink, file: Path) -> None:
        self._sink, self._file = sink, file
        self._lock = threading.Lock()
        self._reads: dict[str, dict[str, int]] | None = None

    def put(self, tenant: str, lines: LogLines) -> bool:
        """As the sink does."""
        return self._sink.put(tenant, lines)

    def put_read(self, tenant: str, lines: LogLines, *, source: str, read_to: int) -> bool:
        """Put, and then keep how far that is; `StoreError` where that cannot be kept."""
        if len(lines) and not self._sink.put(tenant, lines):
            return False
        with self._lock:
            reads = self._loaded()
            reads.setdefault(tenant, {})[source] = read_to
            self._save(reads)
        return True

    def read_to(self, tenant: str, source: str) -> int | None:
        """How far that was; `StoreError` where the file cannot be read."""
        with self._lock:
            return self._loaded().get(tenant, {}).get(source)

    def _loaded(self) -> dict[str, dict[str, int]]:
        if self._reads is None:
            self._reads = self._load()
        return self._reads

    def _load(self) -> dict[str, dict[str, int]]:
        if not self._file.exists():
            return {}
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Kept).reads
        except (OSError, msgspec.DecodeError) as error:
            raise StoreError(
                f"{self._file}: how far sources of lines were read cannot be read ({error}): "
                "delete it to begin anew"
            ) from error

    def _save(self, reads: dict[str, dict[str, int]]) -> None:
        fresh = self._file.with_suffix(".new")
        try:
            fresh.write_bytes(msgspec.json.encode(_Kept(reads=reads)))
            fresh.replace(self._file)
        except OSError as error:
            raise StoreError(
                f"{self._file}: how far sources of lines were read cannot be kept: {error.strerror}"
            ) from error
