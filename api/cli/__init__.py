"""The command line. Importing this costs next to nothing: all else is imported when it is needed.

Exit codes of `serinus check`: 0 pass, 1 fail, 3 inconclusive, 2 wrong usage or configuration,
4 could not ask or crashed; so an uncaught error is never a fail.
"""

from __future__ import annotations

import os
import sys

__all__ = ["main"]

COULD_NOT = 4
# Read by the linear algebra when it is loaded. Our matrices are small: a second thread only spins
# beside the first, and the gate and its sources have threads of their own. Measured on two cores:
# 105 ms of CPU for a placebo of `serinus try` with one thread, 163 with two.
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    """The command `serinus`."""
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    try:
        from api.cli.commands import app

        app()
    except Exception:  # noqa: BLE001 - the top: Python itself would exit with 1, which is a fail
        import traceback

        traceback.print_exc()
        sys.exit(COULD_NOT)
