"""A page as PDF, printed by the Chromium of this machine, which sees nothing but the page."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from detector.errors import ConfigError, DeliveryError

__all__ = ["PRINT_S", "print_pdf"]

# A page with sixty charts takes ten seconds of one core.
PRINT_S = 120.0
_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
_MOST_BYTES = 2**28
# How long the page's own clock may run before it is printed.
_SETTLE_MS = 10_000
_TOLD = 500
_ARGUMENTS = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pdf-header-footer",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    f"--virtual-time-budget={_SETTLE_MS}",
)


def print_pdf(html: str, *, browser: str | None = None, timeout_s: float = PRINT_S) -> bytes:
    """The page on paper, as its style sheet says.

    `browser` is a program, by name or path; Chromium or Chrome if not given. `ConfigError` where
    there is none, `DeliveryError` where it printed nothing in time.
    """
    program = _program(browser)
    with TemporaryDirectory(prefix="serinus-print-") as folder:
        page, paper = Path(folder) / "report.html", Path(folder) / "report.pdf"
        page.write_text(html, encoding="utf-8")
        said = _run([*_command(program, folder), f"--print-to-pdf={paper}", page.as_uri()],
                    folder, timeout_s)  # fmt: skip
        return _printed(paper, program, said)


def _program(browser: str | None) -> str:
    found = (shutil.which(name) for name in ((browser,) if browser else _NAMES))
    program = next((one for one in found if one is not None), None)
    if program is None:
        what = f"{browser!r} is not there" if browser else "Chromium is not installed"
        raise ConfigError(
            f"a PDF is printed by Chromium, and {what}: install it (on Debian: apt install"
            " chromium) or name it under reports.browser; or ask for .html, and print that"
        )
    return program


def _command(program: str, folder: str) -> list[str]:
    """Root has no sandbox, as in most containers; the page's own policy lets nothing else run."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return [program, *_ARGUMENTS, *root, f"--user-data-dir={folder}/profile"]


def _run(command: list[str], folder: str, timeout_s: float) -> str:
    """What it said last; it and all that it started are ended with it."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": folder, "TMPDIR": folder}
    try:
        process = subprocess.Popen(  # noqa: S603 - a browser that the user named, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
    except OSError as error:
        raise ConfigError(f"{command[0]} cannot be started: {error.strerror or error}") from error
    try:
        _, said = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise DeliveryError(f"{command[0]} printed nothing within {timeout_s:g} s") from error
    finally:
        _end(process)
    return said.decode(errors="replace").strip()[-_TOLD:]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Its session is its own, so nobody else is in the group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _printed(paper: Path, program: str, said: str) -> bytes:
    size = paper.stat().st_size if paper.is_file() else 0
    if not 0 < size <= _MOST_BYTES:
        raise DeliveryError(f"{program} printed {size:,} bytes: {said or 'it gave no reason'}")
    body = paper.read_bytes()
    if not body.startswith(b"%PDF"):
        raise DeliveryError(f"{program} printed what is no PDF: {said or 'it gave no reason'}")
    return body
