"""logrotate, really rotating a file that an application writes and that is followed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.pipelines.follow.world import World
from tests.servers import require_server

pytestmark = pytest.mark.real

LONG = "of the order of a customer who has been with us for long"


class Rotated:
    """A folder with an application's log, and logrotate for it."""

    def __init__(self, folder: Path, directives: str, pattern: str = "app.log") -> None:
        self.logs = folder / "logs"
        self.logs.mkdir(mode=0o755)
        self.world = World(self.logs, pattern)
        self._state = folder / "state"
        self._config = folder / "rotate.conf"
        self._config.write_text(
            f"{self.logs}/app.log {{\n rotate 5\n missingok\n{directives}\n}}\n"
        )
        self._config.chmod(0o644)
        self.written = 0

    def write(self, lines: int) -> None:
        """The application writes, by the name of its file."""
        for _ in range(lines):
            self.world.write("app.log", f"line {self.written} {LONG}\n")
            self.written += 1

    def rotate(self) -> None:
        """Run logrotate."""
        command = [
            str(require_server("logrotate")),
            "-f",
            "-s",
            str(self._state),
            str(self._config),
        ]
        subprocess.run(command, check=True, capture_output=True)

    def numbers(self) -> list[int]:
        """Of the lines that came."""
        return [int(message.split()[1]) for message in self.world.quiet()]


@pytest.mark.parametrize(
    "directives",
    [
        " create",
        " create\n compress",
        " create\n dateext\n dateformat -%Y%m%d-%s",
        " copytruncate",
        " copytruncate\n compress\n delaycompress",
    ],
    ids=["rename", "rename-gz", "date", "copytruncate", "copytruncate-gz"],
)
@pytest.mark.parametrize("pattern", ["app.log", "app.log*"])
def test_rotations_lose_and_double_nothing(tmp_path: Path, directives: str, pattern: str) -> None:
    """Lines before, between and after three rotations, read or not when they come."""
    app = Rotated(tmp_path, directives, pattern)
    # A date of seconds as a name is there once a second.
    for _ in range(1 if "dateext" in directives else 3):
        app.write(20)
        app.world.step()
        app.write(3)
        app.rotate()
        app.write(4)
        app.world.step()
    assert sorted(app.numbers()) == list(range(app.written))


@pytest.mark.parametrize("directives", [" create", " copytruncate"], ids=["rename", "copytruncate"])
def test_a_rotation_between_two_runs_of_ours_loses_nothing(tmp_path: Path, directives: str) -> None:
    """serinus was away as logrotate came, and finds the rest under the new name."""
    app = Rotated(tmp_path, directives)
    app.write(20)
    app.world.quiet()
    app.world.restart()
    app.write(5)
    app.rotate()
    app.write(4)
    assert sorted(app.numbers()) == list(range(app.written))


@pytest.mark.parametrize("directives", [" create", " copytruncate"], ids=["rename", "copytruncate"])
@pytest.mark.parametrize("pattern", ["app.log", "app.log*"])
def test_several_rotations_between_two_runs_of_ours_lose_nothing(
    tmp_path: Path, directives: str, pattern: str
) -> None:
    """A night without serinus, and three rotations in it."""
    app = Rotated(tmp_path, directives, pattern)
    app.write(20)
    app.world.quiet()
    app.world.restart()
    for _ in range(3):
        app.write(5)
        app.rotate()
    app.write(4)
    assert sorted(app.numbers()) == list(range(app.written))


def test_a_writer_that_keeps_its_file_is_followed_under_its_new_name(tmp_path: Path) -> None:
    """An application reopens its log seconds after the rotation; both files are read."""
    app = Rotated(tmp_path, " create")
    app.write(5)
    app.world.step()
    with (app.logs / "app.log").open("a") as kept:
        app.rotate()
        app.world.step()
        kept.write(f"line {app.written} {LONG}\n")
        app.written += 1
        kept.flush()
        app.world.step(0.5)
        app.write(2)
    assert app.numbers() == list(range(app.written))


def test_what_was_packed_before_it_was_read_is_lost_and_only_that(tmp_path: Path) -> None:
    """Copytruncate with packing at once leaves nothing to read the last lines from."""
    app = Rotated(tmp_path, " copytruncate\n compress")
    app.write(20)
    app.world.step()
    app.write(3)
    app.rotate()
    app.write(4)
    assert app.numbers() == [*range(20), *range(23, 27)]
    assert app.world.following.meters.truncations == 1
