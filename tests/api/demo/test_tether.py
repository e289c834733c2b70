"""Nothing outlives the demo, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.api.demo.stand import gone

# A parent that ties a child to itself and says the child's id.
PARENT = """
import os, subprocess, sys, time
command = [sys.executable, "-m", "api.demo.tether", str(os.getpid()), sys.executable, "-c",
           "import time; print('here', flush=True); time.sleep(600)"]
child = subprocess.Popen(command, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's tie is Linux' own")


@linux
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_command_ends_with_its_parent(how: signal.Signals) -> None:
    """Not even kill -9 of the demo leaves a Prometheus behind."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.kill(child, 0)
        parent.send_signal(how)
    assert gone(child)


def tied_to(parent: int, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api.demo.tether", str(parent), *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_the_command_is_run_as_it_is() -> None:
    """Arguments, output and exit code are the command's own."""
    ran = tied_to(os.getpid(), "sh", "-c", 'echo "$0"; exit 3', "two words")
    assert (ran.stdout, ran.returncode) == ("two words\n", 3)


def test_nothing_begins_after_the_parent_has_gone() -> None:
    """A parent that died before the tie was made would never be waited for."""
    orphan = tied_to(2**22, "echo", "begun")
    assert (orphan.stdout, orphan.returncode) == ("", 0)
