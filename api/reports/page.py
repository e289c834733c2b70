"""A report as one page that stands alone: its styles, scripts and figures within."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from api.assets import source_of, unneeded_styles
from api.reports.figures import figure_of
from api.reports.view import PARTS, view_of
from api.reports.words import Wall
from api.templating import inlined, templates_of
from api.version import serinus_version
from detector.capacity.report import Report

__all__ = ["content_policy", "page_of"]


def page_of(report: Report, wall: Wall) -> str:
    """The whole page; nothing is fetched from anywhere, and nothing but our own scripts runs."""
    view = view_of(report, wall)
    figures = [
        figure_of(part.row.place, told, wall)
        for part, told in zip(view.parts, report.assessments[:PARTS], strict=True)
        if part.key
    ]
    return (
        templates_of("api.reports")
        .get_template("report.html")
        .render(
            view=view,
            figures=inlined(figures),
            policy=content_policy(),
            style=_style(),
            unneeded_styles=unneeded_styles(),
            script=source_of("page.js"),
            plotly=source_of("plotly.js"),
            version=serinus_version(),
        )
    )


@cache
def content_policy() -> str:
    """What a page may load and run: what is in it, by its hash, and nothing else.

    Plotly makes a style element that is empty, and fills it through the object model.
    """
    scripts = " ".join(_hash(source_of(name)) for name in ("plotly.js", "page.js"))
    styles = f"{_hash(_style())} {_hash('')}"
    return (
        f"default-src 'none'; script-src {scripts}; style-src {styles}; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )


@cache
def _style() -> str:
    own = files("api.reports").joinpath("static", "report.css").read_text("utf-8")
    return source_of("page.css") + own


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
