"""Runs the notebooks and writes what they show back into them; `--check` only compares.

`python tools/notebooks.py [NAME...]`: all of notebooks/, or those with one of these in their name.
Nothing of the machine stays in a file: no times, no paths, no ids that change.
"""

from __future__ import annotations

import copy
import math
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

__all__ = ["FOLDER", "ROOT", "differences", "executed", "names", "read", "written"]

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "notebooks"
# Of one cell, on a machine that is busy with other things; a whole notebook takes less than half a
# minute of a free core.
_CELL_S = 300
# What is shown may differ by this share on another machine: sums of floats depend on the order in
# which a processor adds them. A picture, by as many pixels.
_SHARE, _PIXELS = 0.01, 2.0
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)
_COORDINATE = re.compile(r"-?\d+(?:\.\d+)?")
_PICTURE = "image/svg+xml"
_SHOWN = 2000


def names() -> Sequence[str]:
    """The notebooks, in their order."""
    return sorted(path.name for path in FOLDER.glob("*.ipynb"))


def read(name: str) -> Any:  # noqa: ANN401 - nbformat ships no types
    """A notebook as it is kept."""
    return nbformat.read(FOLDER / name, as_version=4)


def executed(kept: Any) -> Any:  # noqa: ANN401
    """A notebook as it is when all cells have run in an empty folder; raises where one fails."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = _bare(copy.deepcopy(kept))
        before = {key: os.environ.get(key) for key in ("IPYTHONDIR", "PYTHONPATH")}
        found = os.pathsep.join(filter(None, (str(ROOT), before["PYTHONPATH"])))
        os.environ.update(IPYTHONDIR=folder, PYTHONPATH=found)
        try:
            where = {"metadata": {"path": folder}}
            # How a kernel cuts what is printed into messages hangs on how busy the machine is.
            NotebookClient(
                notebook,
                timeout=_CELL_S,
                resources=where,
                record_timing=False,
                coalesce_streams=True,
            ).execute()
        finally:
            for key, value in before.items():
                _restore(key, value)
    return _plain(notebook)


def _restore(key: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(key, None)
    else:
        os.environ[key] = value


def _bare(notebook: Any) -> Any:  # noqa: ANN401
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _plain(notebook: Any) -> Any:  # noqa: ANN401
    """Without anything of this run or this machine."""
    spec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": spec, "language_info": {"name": "python"}}
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell.id, cell.metadata = f"cell-{number}", nbformat.from_dict({})
        for output in cell.get("outputs", ()):
            if "metadata" in output:
                output.metadata = nbformat.from_dict({})
    return notebook


def written(notebook: Any) -> str:  # noqa: ANN401
    """A notebook as the text of its file."""
    return f"{nbformat.writes(notebook, indent=1)}\n"


def differences(kept: Any, made: Any) -> Sequence[str]:  # noqa: ANN401
    """Where what is shown is not what is kept, beyond what another machine may differ by."""
    pairs = zip(kept.cells, made.cells, strict=True)
    return [
        f"cell {number}: {problem}"
        for number, (one, other) in enumerate(pairs)
        if one.cell_type == "code"
        for problem in _of_cell(one.outputs, other.outputs)
    ]


def _of_cell(kept: Sequence[Any], made: Sequence[Any]) -> Iterator[str]:
    shown, again = [dict(_texts(outputs)) for outputs in (kept, made)]
    for kind in sorted(shown.keys() | again.keys()):
        if kind not in shown or kind not in again:
            yield f"{kind} is {'new' if kind in again else 'gone'}"
        elif not _is_alike(shown[kind], again[kind], is_picture=kind.endswith(_PICTURE)):
            yield _told(kind, shown[kind], again[kind])


def _told(kind: str, kept: str, made: str) -> str:
    """What was and what is; of a picture nobody reads the numbers."""
    if kind.endswith(_PICTURE):
        return f"{kind} is another picture"
    return f"{kind} was\n{kept[:_SHOWN]}\nand is\n{made[:_SHOWN]}"


def _texts(outputs: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """What is shown, by place and kind; a table as its text, which pandas writes beside it."""
    for place, output in enumerate(outputs):
        if output.output_type == "stream":
            yield f"{place} {output.name}", output.text
        elif output.output_type == "error":
            yield f"{place} error", f"{output.ename}: {output.evalue}"
        else:
            for kind in ("text/plain", _PICTURE):
                if kind in output.data:
                    yield f"{place} {kind}", "".join(output.data[kind])


def _is_alike(kept: str, made: str, *, is_picture: bool) -> bool:
    number = _COORDINATE if is_picture else _NUMBER
    words, others = (" ".join(number.sub("#", text).split()) for text in (kept, made))
    if words != others:
        return False
    values = zip(number.findall(kept), number.findall(made), strict=True)
    share, apart = (0.0, _PIXELS) if is_picture else (_SHARE, 0.0)
    return all(
        math.isclose(float(one), float(other), rel_tol=share, abs_tol=apart)
        for one, other in values
    )


def _main(words: Sequence[str]) -> int:
    check = "--check" in words
    wanted = [word for word in words if not word.startswith("-")]
    code = 0
    for name in names():
        if wanted and not any(word in name for word in wanted):
            continue
        kept = read(name)
        made = executed(kept)
        found = differences(kept, made)
        if check:
            print("\n".join([f"{name}: {len(found)} differences", *found]))
            code = 1 if found else code
        else:
            (FOLDER / name).write_text(written(made), encoding="utf-8")
            print(f"{name}: {'changed' if found else 'as before'}")
    return code


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
