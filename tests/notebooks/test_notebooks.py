"""The notebooks: they run from top to bottom, and show what is kept in them."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from tools.notebooks import FOLDER, ROOT, differences, executed, names, read, written

NAMES = names()
SHORT = 26
FOREIGN = r"https?://|open\(|read_csv|os\.environ|import (requests|httpx)"
notebooks = pytest.mark.parametrize("name", NAMES)


@cache
def text_of(path: str) -> str:
    """A document."""
    return (ROOT / path).read_text(encoding="utf-8")


def code_cells(name: str) -> list[Any]:
    """Cells that run."""
    return [cell for cell in read(name).cells if cell.cell_type == "code"]


@pytest.mark.slow
@pytest.mark.timeout(900)
@notebooks
def test_it_runs_and_shows_what_is_kept(name: str) -> None:
    """Whoever opens it, here or on a page of a forge, reads what the code does today."""
    kept = read(name)
    found = differences(kept, executed(kept))
    assert not found, "\n".join([*found, "run: make notebooks"])


@notebooks
def test_nothing_of_a_machine_is_in_it(name: str) -> None:
    """Neither where nor when it ran, nor by whom."""
    text = text_of(f"notebooks/{name}")
    assert text == written(read(name)), "run: make notebooks"
    assert not re.search(r"/(home|root|tmp|work|Users|usr)/|iopub|ipykernel_", text)


@notebooks
def test_it_is_whole(name: str) -> None:
    """Every cell ran once, in order, without an error or a warning."""
    cells = code_cells(name)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert "error" not in {output.output_type for output in outputs}
    assert "stderr" not in {output.get("name") for output in outputs}


@notebooks
def test_it_is_short_and_has_a_picture(name: str) -> None:
    """It is read over a coffee, and a picture says what a table does not."""
    cells = read(name).cells
    assert len(cells) <= SHORT
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# ")
    pictures = [
        output.data["image/svg+xml"]
        for cell in code_cells(name)
        for output in cell.outputs
        if output.output_type == "execute_result" and "image/svg+xml" in output.data
    ]
    assert pictures
    assert all(picture.startswith("<svg ") for picture in pictures)


@notebooks
def test_it_needs_nothing_but_itself(name: str) -> None:
    """No address, no file and no environment: it runs on a train."""
    source = "\n".join(cell.source for cell in code_cells(name))
    assert not re.search(
        r"https?://|open\(|read_csv|os\.environ|import (requests|httpx)|/work", source
    )


@pytest.mark.parametrize("document", ["notebooks/README.md", "docs/notebooks.md"])
def test_every_notebook_is_listed(document: str) -> None:
    """In the order in which they are read, and no other is."""
    listed = re.findall(r"\(\S*?([\w-]+\.ipynb)\)", text_of(document))
    assert listed == list(NAMES)


@notebooks
def test_links_in_it_lead_somewhere(name: str) -> None:
    """A relative link names a file of this tree."""
    texts = [cell.source for cell in read(name).cells if cell.cell_type == "markdown"]
    links = [link for text in texts for link in re.findall(r"\]\(([^)#\s]+)", text)]
    broken = [link for link in links if ":" not in link and not (FOLDER / link).exists()]
    assert not broken


def shown(**data: Any) -> Any:  # noqa: ANN401
    """A notebook of one cell that shows something."""
    output = nbformat.v4.new_output("execute_result", data=data, execution_count=1)
    cell = nbformat.v4.new_code_cell("x", outputs=[output], execution_count=1)
    return nbformat.v4.new_notebook(cells=[cell])


@pytest.mark.parametrize(
    ("kept", "made", "is_same"),
    [
        ("share 0.500", "share 0.500", True),
        ("share 0.500", "share  0.501", True),
        ("share 0.500", "share 0.510", False),
        ("share 0.500", "rate 0.500", False),
        ("1.2e+09", "1.2001e+09", True),
        ("1.2e+09", "1.2e+10", False),
        ("a 1 b", "a 1 2 b", False),
        ("4 of 4", "3 of 4", False),
        ("2026-03-02", "2026-03-02", True),
    ],
)
def test_texts_may_differ_by_a_hundredth_of_a_number(kept: str, made: str, is_same: bool) -> None:
    """Floats are added up in another order elsewhere; words and counts are not."""
    found = differences(shown(**{"text/plain": kept}), shown(**{"text/plain": made}))
    assert (not found) is is_same


@pytest.mark.parametrize(
    ("made", "is_same"),
    [("M1.0,2.0L3,4", True), ("M2.9,2.0L3,4", True), ("M9.0,2.0L3,4", False), ("M1,2", False)],
)
def test_pictures_may_differ_by_two_pixels(made: str, is_same: bool) -> None:
    """What nobody sees is no difference."""
    found = differences(
        shown(**{"image/svg+xml": "M1.0,2.0L3,4"}), shown(**{"image/svg+xml": made})
    )
    assert (not found) is is_same


def test_what_is_new_or_gone_is_told() -> None:
    """A cell that shows nothing any more has lost what it was for."""
    one, other = shown(**{"text/plain": "1"}), shown(**{"image/svg+xml": "M1,2"})
    assert differences(one, other) == [
        "cell 0: 0 image/svg+xml is new",
        "cell 0: 0 text/plain is gone",
    ]


@pytest.mark.slow
def test_a_cell_that_fails_fails_the_notebook() -> None:
    """Nothing goes on after an error."""
    cells = [nbformat.v4.new_code_cell(source) for source in ("x = 1 / 0", "print('on')")]
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        executed(nbformat.v4.new_notebook(cells=cells))


@pytest.mark.slow
def test_a_run_leaves_nothing_of_itself() -> None:
    """The same notebook twice is the same file."""
    code = "import os, pathlib\nlen(list(pathlib.Path.cwd().iterdir())), 'IPYTHONDIR' in os.environ"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    one, other = executed(notebook), executed(notebook)
    assert written(one) == written(other)
    assert "outputs" in one.cells[0]
    assert one.cells[0].execution_count == 1
    assert one.cells[0].id == "cell-0"
