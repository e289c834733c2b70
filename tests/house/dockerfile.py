"""Reads our Dockerfile, and runs its steps below a folder where no container engine is at hand."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# What the steps write to; moved below the folder.
IMAGE_PATHS = ("/var/lib/serinus", "/tmp/builder", "/tmp/wheel", "/opt/serinus", "/src")
# Accounts belong to the image, not to the machine that the steps are tried on.
ACCOUNTS = re.compile(r"^(groupadd|useradd)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction: its word, its text with continuations joined, its first line's number."""

    word: str
    text: str
    line: int


def read(path: Path = ROOT / "Dockerfile") -> list[Instruction]:
    return parse(path.read_text(encoding="utf-8"))


def parse(source: str) -> list[Instruction]:
    """Instructions in order; comments and blank lines are left out, also inside a continuation."""
    found: list[Instruction] = []
    pending, begun = "", 0
    for number, raw in enumerate(source.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        begun = begun or number
        pending = f"{pending} {line.removesuffix(chr(92)).strip()}".strip()
        if not line.endswith("\\"):
            word, _, text = pending.partition(" ")
            found.append(Instruction(word=word.upper(), text=text.strip(), line=begun))
            pending, begun = "", 0
    if pending:
        raise ValueError(f"line {begun}: a continuation without an end")
    return found


def stages(instructions: Iterable[Instruction]) -> list[list[Instruction]]:
    """The instructions of each stage, each beginning with its FROM."""
    split: list[list[Instruction]] = []
    for instruction in instructions:
        if instruction.word == "FROM":
            split.append([])
        if not split:
            raise ValueError(f"line {instruction.line}: {instruction.word} before FROM")
        split[-1].append(instruction)
    return split


def moved(text: str, folder: Path) -> str:
    """`text` with the image's paths below `folder`."""
    for path in IMAGE_PATHS:
        text = re.sub(rf"(?<![\w.]){re.escape(path)}(?![\w-])", f"{folder}{path}", text)
    return text


def run_steps(folder: Path) -> None:
    """Run every stage in order below `folder`; the first failing step raises."""
    for stage in stages(read()):
        run_stage(stage, folder)


def run_stage(stage: list[Instruction], folder: Path) -> None:
    work, environment = folder, dict(os.environ)
    environment.pop("PYTHONPATH", None)
    # What is only tried is not compiled: two thirds of the time. Of an option that begins with "no"
    # pip takes the value for its contrary: 0 says that nothing is compiled.
    environment["PIP_NO_COMPILE"] = "0"
    for step in stage:
        if step.word == "WORKDIR":
            work = Path(moved(step.text, folder))
            work.mkdir(parents=True, exist_ok=True)
        elif step.word == "ENV":
            environment |= assignments(moved(step.text, folder), environment)
        elif step.word == "COPY" and not step.text.startswith("--from"):
            copy(step.text.split(), work)
        elif step.word == "RUN":
            run(moved(step.text, folder), work, environment, folder)


def assignments(text: str, environment: dict[str, str]) -> dict[str, str]:
    pairs = (pair.split("=", 1) for pair in text.split())
    return {name: value.replace("$PATH", environment["PATH"]) for name, value in pairs}


def copy(words: list[str], work: Path) -> None:
    *sources, target = words
    for source in sources:
        if (ROOT / source).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, work / target, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy(ROOT / source, work / target)


def run(command: str, work: Path, environment: dict[str, str], folder: Path) -> None:
    parts = [part.strip() for part in command.split("&&")]
    parts = [part for part in parts if not ACCOUNTS.match(part)]
    parts = [part.replace("-o serinus -g serinus ", "") for part in parts]
    for path in ("/var/lib", "/opt", "/tmp"):
        (folder / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
    script = " && ".join(parts)
    print(f"RUN {script}", flush=True)
    subprocess.run(["/bin/sh", "-euc", script], cwd=work, env=environment, check=True)


def json_form(text: str) -> list[str]:
    """The arguments of an exec form; a shell form raises."""
    parsed = json.loads(text)
    if not isinstance(parsed, list):
        raise TypeError("not a list")
    return [str(word) for word in parsed]


if __name__ == "__main__":
    run_steps(Path(sys.argv[1]).resolve())
    print(f"steps of the Dockerfile ran below {sys.argv[1]}")
