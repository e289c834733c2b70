"""Ties a process to the one that started it, so that nothing outlives the demo.

    python -m api.demo.tether PARENT COMMAND...

runs a command of others under the same tie; it holds through `exec`.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

__all__ = ["die_with_parent", "main"]

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, *, by: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel for `by` when process `parent` ends; exits if it has ended already.

    Where the kernel cannot (it is Linux' own), the caller's closed pipe has to do.
    """
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, int(by), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)


def main() -> None:
    """Tie, then become the command."""
    parent, *command = sys.argv[1:]
    die_with_parent(int(parent))
    os.execvp(command[0], command)  # noqa: S606 a shell would stand between us and the tie


if __name__ == "__main__":
    main()
