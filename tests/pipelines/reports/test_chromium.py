"""Printing: a real browser, and programs that are missing, hang, fail or print something else."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from detector.errors import ConfigError, DeliveryError
from pipelines.reports.chromium import print_pdf
from tests.servers import require_server

PAGE = "<!doctype html><meta charset=utf-8><style>@page{size:A4}</style><p>Ünïcode</p>"


def program(folder: Path, script: str) -> str:
    """A browser that does as the script says; `$out` is the file that it should print to."""
    file = folder / "browser"
    find = 'for one; do case "$one" in --print-to-pdf=*) out="${one#*=}";; esac; done\n'
    file.write_text(f"#!/bin/sh\n{find}{script}\n")
    file.chmod(0o755)
    return str(file)


@pytest.mark.real
def test_a_page_becomes_a_pdf() -> None:
    """On A4, as its style sheet says."""
    body = print_pdf(PAGE, browser=str(require_server("chromium")), timeout_s=60)
    assert body.startswith(b"%PDF")
    assert body.count(b"/Type /Page\n") + body.count(b"/Type /Page/") + body.count(b"/Page ") >= 1
    assert b"594.95" in body or b"595" in body


@pytest.mark.parametrize("name", ["no-such-browser", "/no/such/browser"])
def test_without_a_browser_one_hears_what_to_install(name: str) -> None:
    """And that a page can be printed by hand."""
    with pytest.raises(ConfigError, match=rf"{name}.*apt install chromium.*reports\.browser.*html"):
        print_pdf(PAGE, browser=name)


def test_without_any_browser_one_hears_that(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A slim container has none."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="Chromium is not installed"):
        print_pdf(PAGE)


def test_what_it_prints_is_given(tmp_path: Path) -> None:
    """The page is in a file of its own, which is gone afterwards."""
    seen = tmp_path / "seen"
    script = f'printf %s "%PDF-1.4 x" > "$out"; for last; do :; done; echo "$last" > {seen}'
    assert print_pdf(PAGE, browser=program(tmp_path, script)) == b"%PDF-1.4 x"
    page = seen.read_text().strip().removeprefix("file://")
    assert page.endswith(".html")
    assert not Path(page).exists()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo no display >&2; exit 1", "0 bytes: no display"),
        ("exit 0", "it gave no reason"),
        ('echo "<html>" > "$out"', "no PDF"),
        (': > "$out"', "0 bytes"),
    ],
    ids=["fails", "nothing", "something else", "empty"],
)
def test_what_went_wrong_is_told(script: str, words: str, tmp_path: Path) -> None:
    """Rather than that an empty file is posted."""
    with pytest.raises(DeliveryError, match=words):
        print_pdf(PAGE, browser=program(tmp_path, script))


def test_what_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    """A browser has many processes; one that is left behind holds memory for ever."""
    child = tmp_path / "child"
    hangs = program(tmp_path, f"sleep 600 & echo $! > {child}.new; mv {child}.new {child}; wait")
    began = time.monotonic()
    with pytest.raises(DeliveryError, match=r"within 0\.5 s"):
        print_pdf(PAGE, browser=hangs, timeout_s=0.5)
    assert time.monotonic() - began < 10
    assert _is_gone(int(child.read_text()))


def test_what_cannot_be_started_is_named(tmp_path: Path) -> None:
    """As where a file of another machine was copied."""
    file = tmp_path / "broken"
    file.write_bytes(b"\x7fELF no program")
    file.chmod(0o755)
    with pytest.raises(ConfigError, match="broken cannot be started"):
        print_pdf(PAGE, browser=str(file))


def test_no_secret_is_handed_to_the_browser(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It needs nothing of our environment."""
    monkeypatch.setenv("SERINUS_TOKEN", "correct-horse")
    seen = tmp_path / "env"
    print_pdf(PAGE, browser=program(tmp_path, f'env > {seen}; printf %s "%PDF" > "$out"'))
    assert "correct-horse" not in seen.read_text()


def _is_gone(pid: int) -> bool:
    """Ended, be it that nobody has taken note of it yet."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        os.sched_yield()
    return False
