"""A report in the form that the name of a file asks for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import assert_never

from api.reports.page import page_of
from api.reports.picture import picture_of
from api.reports.table import csv_of
from api.reports.words import Wall
from detector.capacity.report import Report, to_json
from detector.errors import ConfigError, InputError
from pipelines.reports.chromium import print_pdf

__all__ = ["MEDIA", "Form", "form_of", "shaped", "write"]


class Form(StrEnum):
    """How a report is given; also the ending of its file."""

    HTML = "html"
    PDF = "pdf"
    CSV = "csv"
    JSON = "json"
    PNG = "png"


MEDIA: Mapping[Form, str] = {
    Form.HTML: "text/html; charset=utf-8",
    Form.PDF: "application/pdf",
    Form.CSV: "text/csv; charset=utf-8",
    Form.JSON: "application/json",
    Form.PNG: "image/png",
}


def form_of(file: Path, field: str = "out") -> Form:
    """By the ending of a file; `InputError` for another."""
    ending = file.suffix.lower().removeprefix(".")
    if ending not in set(Form):
        known = ", ".join(f".{form}" for form in Form)
        raise InputError(f"{str(file)!r} has to end in one of {known}", field=field)
    return Form(ending)


def shaped(report: Report, form: Form, wall: Wall, *, browser: str | None = None) -> bytes:
    """The report as bytes; a PDF is printed by a browser, as `print_pdf` says."""
    match form:
        case Form.HTML:
            return page_of(report, wall).encode()
        case Form.PDF:
            return print_pdf(page_of(report, wall), browser=browser)
        case Form.CSV:
            return csv_of(report).encode()
        case Form.JSON:
            return to_json(report)
        case Form.PNG:
            return picture_of(report, wall)
    assert_never(form)


def write(report: Report, file: Path, wall: Wall, *, browser: str | None = None) -> None:
    """All of it or nothing: who opens the file meanwhile sees the one of before.

    `ConfigError` where it cannot be written.
    """
    body = shaped(report, form_of(file), wall, browser=browser)
    try:
        with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as new:
            new.write(body)
        made = Path(new.name)
        try:
            made.chmod(0o666 & ~_umask())
            made.replace(file)
        except OSError:
            made.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror or error}") from error


def _umask() -> int:
    """There is no way to look at it but to set it."""
    now = os.umask(0o077)
    os.umask(now)
    return now
