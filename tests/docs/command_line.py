"""Whether a command that we tell people to type exists, with its options."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPTION = re.compile(r"^--[a-z][a-z-]*")


# Commands that have commands of their own.
GROUPS = frozenset({"pack", "init", "shadow", "logs", "slo", "report"})


def problems(words: list[str]) -> Iterator[str]:
    plain = [word for word in words if not word.startswith("-")]
    subcommand = plain[: 2 if plain[:1] and plain[0] in GROUPS else 1]
    told = " ".join(subcommand)
    code, text = help_of(*subcommand)
    if code != 0:
        yield f"there is no `serinus {told}`"
        return
    known = set(re.findall(r"--[a-z][a-z-]*", text)) | {"--help"}
    for word in words:
        option = OPTION.match(word)
        if option and option[0] not in known:
            yield f"`serinus {told}` has no {option[0]}"


@cache
def help_of(*subcommand: str) -> tuple[int, str]:
    command = [sys.executable, "-c", "from api.cli import main; main()"]
    result = subprocess.run(
        [*command, *subcommand, "--help"],
        cwd=ROOT,
        env={"COLUMNS": "250", "NO_COLOR": "1", "TERM": "dumb", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return result.returncode, result.stdout
