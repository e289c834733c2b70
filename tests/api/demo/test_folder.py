"""The folder of a demo: gone with it, and cleared away later where the demo was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from api.demo.folder import clear_stale, own_folder

# A demo that has made its folder, with a log in it, and then only waits.
DEMO = """
import sys
from pathlib import Path
from api.demo.folder import own_folder
with own_folder(Path(sys.argv[1])) as folder:
    (folder / "pods").mkdir()
    (folder / "pods" / "a.log").write_text("much")
    print(folder, flush=True)
    sys.stdin.read()
"""


def demo(among: Path) -> tuple[subprocess.Popen[str], Path]:
    """A running demo and its folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", DEMO, str(among)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def killed(among: Path) -> Path:
    """The folder of a demo that was killed the hard way."""
    process, folder = demo(among)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return folder


def test_a_folder_goes_with_its_demo(tmp_path: Path) -> None:
    """Whoever ends the demo in order finds nothing of it afterwards."""
    with own_folder(tmp_path) as folder:
        assert folder.parent == tmp_path
        (folder / "log").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_demo_left_is_removed(tmp_path: Path) -> None:
    """Ten demos killed with -9 do not fill the disk with ten stores."""
    left = killed(tmp_path)
    assert (left / "pods" / "a.log").exists()
    assert clear_stale(tmp_path) == [left]
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_runs_keeps_its_folder(tmp_path: Path) -> None:
    """A second demo beside the first does not pull the floor from under it."""
    process, folder = demo(tmp_path)
    with process:
        left = killed(tmp_path)
        assert clear_stale(tmp_path) == [left]
        assert (folder / "pods" / "a.log").read_text() == "much"
        process.communicate("")
    assert process.returncode == 0
    assert not folder.exists()


def test_our_own_folder_is_not_stale(tmp_path: Path) -> None:
    """Nor does a demo clear away what it stands on itself."""
    with own_folder(tmp_path) as folder:
        assert clear_stale(tmp_path) == []
        assert folder.is_dir()


def _without_mark(folder: Path) -> None:
    (folder / "demo.lock").unlink()


def _with_another_mark(folder: Path) -> None:
    (folder / "demo.lock").write_text("my own notes on a demo\n")


def _with_a_longer_mark(folder: Path) -> None:
    with (folder / "demo.lock").open("a") as mark:
        mark.write("and more\n")


def _with_a_linked_mark(folder: Path) -> None:
    kept = folder.parent / "kept"
    (folder / "demo.lock").rename(kept)
    (folder / "demo.lock").symlink_to(kept)


def _under_another_name(folder: Path) -> None:
    folder.rename(folder.parent / "my-demo")


@pytest.mark.parametrize(
    "change",
    [
        _without_mark,
        _with_another_mark,
        _with_a_longer_mark,
        _with_a_linked_mark,
        _under_another_name,
    ],
)
def test_what_may_be_anothers_stays(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """A name alone proves nothing: nobody loses a folder that happens to be called so."""
    folder = killed(tmp_path)
    change(folder)
    before = sorted(tmp_path.rglob("*"))
    assert clear_stale(tmp_path) == []
    assert sorted(tmp_path.rglob("*")) == before


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A planted link must not lead the clearing away into somebody's home."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = killed(elsewhere)
    among = tmp_path / "among"
    among.mkdir()
    (among / "serinus-demo-link").symlink_to(folder)
    (among / "serinus-demo-file").write_text("no folder at all")
    assert clear_stale(among) == []
    assert folder.is_dir()


def test_what_cannot_be_removed_stops_nothing(tmp_path: Path) -> None:
    """A demo begins whether or not another user's, or a locked one, can be cleared away."""
    folder = killed(tmp_path)
    if os.getuid() == 0:
        os.chown(folder, 65_534, -1)
    else:
        folder.chmod(0o500)
    try:
        assert clear_stale(tmp_path) == []
        assert (folder / "demo.lock").exists()
    finally:
        folder.chmod(0o700)


def test_a_place_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    """TMPDIR may name a folder that nobody made yet."""
    assert clear_stale(tmp_path / "none") == []
