"""A report in the form that a file's name asks for: whole, or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from api.reports.forms import MEDIA, Form, form_of, shaped, write
from api.reports.words import Wall
from detector.capacity.report import of_json
from detector.errors import ConfigError, InputError
from tests.api.reports.examples import report
from tests.pipelines.reports.test_chromium import program
from tests.servers import require_server

REPORT = report()
BEGINS = {
    Form.HTML: b"<!doctype html>",
    Form.CSV: b"state,service",
    Form.JSON: b'{"schema":1',
    Form.PNG: b"\x89PNG",
}


@pytest.mark.parametrize("form", BEGINS)
def test_each_form_is_what_it_says(form: Form, tmp_path: Path) -> None:
    """And has a media type, for the web."""
    file = tmp_path / f"report.{form}"
    write(REPORT, file, Wall())
    assert file.read_bytes().startswith(BEGINS[form])
    assert file.read_bytes() == shaped(REPORT, form, Wall())
    assert form in MEDIA


def test_json_is_read_back() -> None:
    """It is kept and compared by it."""
    assert of_json(shaped(REPORT, Form.JSON, Wall())) == REPORT


@pytest.mark.real
@pytest.mark.slow
def test_a_pdf_is_printed(tmp_path: Path) -> None:
    """By a real browser, with the charts: some sheets, and not only words."""
    file = tmp_path / "report.PDF"
    write(REPORT, file, Wall(), browser=str(require_server("chromium")))
    assert file.read_bytes().startswith(b"%PDF")
    assert file.stat().st_size > 60_000


@pytest.mark.parametrize("name", ["report", "report.docx", "report.html.gz", ".html"])
def test_other_endings_are_refused(name: str) -> None:
    """Before anything is read from a source for minutes."""
    with pytest.raises(InputError, match=r"\.html, \.pdf, \.csv, \.json, \.png"):
        form_of(Path(name))


def test_what_cannot_be_made_leaves_the_old_file(tmp_path: Path) -> None:
    """And nothing half beside it."""
    file = tmp_path / "report.pdf"
    file.write_bytes(b"old")
    with pytest.raises(ConfigError, match="not there"):
        write(REPORT, file, Wall(), browser="no-such-browser")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("where", ["missing/report.json", "folder.json"])
def test_where_it_cannot_be_written_is_said(where: str, tmp_path: Path) -> None:
    """With the reason of the system."""
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        write(REPORT, tmp_path / where, Wall())
    assert [one.name for one in tmp_path.iterdir()] == ["folder.json"]


def test_it_can_be_read_by_others(tmp_path: Path) -> None:
    """As any file that one writes, and not by its owner alone."""
    mask = os.umask(0o022)
    try:
        write(REPORT, tmp_path / "report.json", Wall())
    finally:
        os.umask(mask)
    assert (tmp_path / "report.json").stat().st_mode & 0o777 == 0o644


def test_a_page_is_printed_by_the_browser_that_is_named(tmp_path: Path) -> None:
    """Where there are several."""
    browser = program(tmp_path, 'printf %s "%PDF-own" > "$out"')
    assert shaped(REPORT, Form.PDF, Wall(), browser=browser) == b"%PDF-own"


def test_numbers_of_json_are_numbers() -> None:
    """NaN is none in JSON; what is not known is null."""
    tree = json.loads(shaped(REPORT, Form.JSON, Wall()), parse_constant=pytest.fail)
    assert tree["report"]["scope"] == "all services"
