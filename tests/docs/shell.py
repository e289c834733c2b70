"""One shell for one document: it keeps its state, and is stopped with all that it started."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

_MARK = "::end-of-command::"


class Shell:
    """A bash in a session of its own; use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        beside_python = str(Path(sys.executable).parent)
        environment = dict(os.environ, NO_COLOR="1", TERM="dumb", COLUMNS="200")
        environment["PATH"] = beside_python + os.pathsep + environment["PATH"]
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate(timeout=10)

    def run(self, command: str, *, timeout_s: float) -> tuple[int, str]:
        """Exit code and output of one command; raises TimeoutError when it takes longer."""
        assert self._process.stdin is not None
        script = f"{{ {command}\n}} </dev/null\nprintf '\\n{_MARK}%d\\n' $?\n"
        self._process.stdin.write(script.encode())
        self._process.stdin.flush()
        printed: list[str] = []
        for line in self._lines(time.monotonic() + timeout_s, command):
            if line.startswith(_MARK):
                return int(line.removeprefix(_MARK)), "\n".join(printed).removesuffix("\n")
            printed.append(line)
        raise RuntimeError(f"the shell ended in: {command}\n" + "\n".join(printed))

    def _lines(self, deadline: float, command: str) -> Iterator[str]:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while True:
                while b"\n" in self._rest:
                    line, self._rest = self._rest.split(b"\n", 1)
                    yield line.decode(errors="replace")
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise TimeoutError(f"takes too long: {command}")
                received = os.read(descriptor, 65536)
                if not received:
                    return
                self._rest += received
