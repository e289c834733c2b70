"""From errors to exit codes and a sentence on standard error."""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable
from enum import IntEnum
from typing import NoReturn, ParamSpec

from detector.errors import ConfigError, InputError, NotFoundError, SerinusError

__all__ = ["Code", "CouldNotAskError", "guarded", "stop"]

P = ParamSpec("P")


class Code(IntEnum):
    """Exit codes."""

    PASS = 0
    FAIL = 1
    USAGE = 2
    INCONCLUSIVE = 3
    COULD_NOT = 4
    INTERRUPTED = 130


class CouldNotAskError(SerinusError):
    """There was no answer; asking again may help."""


def guarded(command: Callable[P, int | None]) -> Callable[P, None]:
    """The command with its errors told; its result is the exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs) or 0
            sys.stdout.flush()
        except (InputError, ConfigError, NotFoundError) as error:
            stop(_told(error), Code.USAGE)
        except SerinusError as error:
            stop(str(error), Code.COULD_NOT)
        except BrokenPipeError:
            _nobody_reads()
        except KeyboardInterrupt:
            stop("interrupted", Code.INTERRUPTED)
        except ImportError as error:
            _foreign(error)
        except Exception:  # noqa: BLE001 - the top of a command
            _crashed()
        sys.exit(code)

    return run


def _told(error: SerinusError) -> str:
    field = getattr(error, "field", None)
    flag = f"--{str(field).replace('_', '-')}: " if field else ""
    return f"{flag}{error}"


def _foreign(error: ImportError) -> NoReturn:
    """A module of ours is missing: most often because another distribution owns its name."""
    from pipelines.names import check_names

    try:
        check_names()
    except ConfigError as conflict:
        stop(f"{conflict} ({error})", Code.USAGE)
    _crashed()


def _crashed() -> NoReturn:
    traceback.print_exc()
    stop("this is an error of serinus itself; nothing was decided", Code.COULD_NOT)


def _nobody_reads() -> NoReturn:
    """The reader of a pipe went away; Python would complain once more when it flushes."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(int(Code.COULD_NOT))


def stop(words: str, code: Code) -> NoReturn:
    """Say it and end."""
    print(f"serinus: {words}", file=sys.stderr)
    sys.exit(int(code))
