"""The command line. Importing this costs next to nothing: all else is imported when it is needed.

Exit codes of `serinus check`: 0 pass, 1 fail, 3 inconclusive, 2 wrong usage or configuration,
4 could not ask or crashed; so an uncaught error is never a fail.
"""

from __future__ import annotations

import sys

__all__ = ["main"]

COULD_NOT = 4


def main() -> None:
    """The command `serinus`."""
    try:
        from api.cli.commands import app

        app()
    except Exception:  # noqa: BLE001 - the top: Python itself would exit with 1, which is a fail
        import traceback

        traceback.print_exc()
        sys.exit(COULD_NOT)
