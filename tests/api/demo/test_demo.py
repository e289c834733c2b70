"""`serinus demo` as people run it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from api.demo.faults import Fault
from api.demo.folder import clear_stale
from api.demo.prometheus import VARIABLES
from api.demo.web import listen
from tests.api.demo.stand import gone
from tests.servers import require_server

COMMAND = (sys.executable, "-P", "-c", "from api.cli import main; main()", "demo")
NOISE = ("Traceback", "Unclosed", "Exception ignored", "never retrieved", "Warning")
SHOW_S = 240
RECEIPT = "against none in .*It reads “receipt for order <num> not sent”"


def environment(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Ours, with a folder of our own for temporary files, and warnings shown."""
    tree = str(Path(__file__).parents[3])
    own = {"TMPDIR": str(folder), "PYTHONPATH": tree, "PYTHONWARNINGS": "default::ResourceWarning"}
    return {**os.environ, **own, **more}


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A demo in a process group of its own; killed at the end if it still runs."""
    with subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(folder, {}),
        start_new_session=True,
    ) as demo:
        try:
            yield demo
        finally:
            if demo.poll() is None:
                demo.kill()


def ran(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment(folder, more),
        timeout=SHOW_S,
    )


def until_open(demo: subprocess.Popen[str]) -> str:
    """The address, once the shop is open."""
    assert demo.stdout is not None
    for line in demo.stdout:
        found = re.search(r"look at (http://\S+/rollouts)", line)
        if found:
            return found[1]
    assert demo.stderr is not None
    pytest.fail(f"the demo ended before it began: {demo.stderr.read()}")


def descendants(demo: subprocess.Popen[str]) -> dict[int, str]:
    """What it has started: six pods, the customers, the gate."""
    found = psutil.Process(demo.pid).children(recursive=True)
    return {child.pid: " ".join(child.cmdline()) for child in found}


@pytest.mark.slow
def test_ctrl_c_ends_it_in_order(tmp_path: Path) -> None:
    """Exit code 0, everything stopped, nothing left in the folder for temporary files."""
    with running(tmp_path) as demo:
        address = until_open(demo)
        with urllib.request.urlopen(address, timeout=30) as page:
            assert page.status == 200
        pids = descendants(demo)
        demo.send_signal(signal.SIGINT)
        said, complaints = demo.communicate(timeout=60)
    assert demo.returncode == 0
    assert "interrupted: everything was stopped, its pages too" in said
    assert complaints == ""
    assert len(pids) >= 8
    assert all(gone(pid) for pid in pids)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's tie is Linux' own")
def test_kill_9_leaves_nothing_running(tmp_path: Path) -> None:
    """A demo that was killed the hard way does not keep twelve processes busy for ever.

    Its folder stays until the next demo, which knows it for its own.
    """
    with running(tmp_path) as demo:
        until_open(demo)
        pids = descendants(demo)
        demo.kill()
        demo.communicate(timeout=60)
        [left] = tmp_path.iterdir()
    assert len(pids) >= 8
    assert all(gone(pid) for pid in pids)
    assert clear_stale(tmp_path) == [left]


@pytest.mark.slow
def test_it_ends_when_nobody_reads_on(tmp_path: Path) -> None:
    """`serinus demo | head` leaves neither processes nor a traceback."""
    with running(tmp_path) as demo:
        until_open(demo)
        pids = descendants(demo)
        assert demo.stdout is not None
        demo.stdout.close()
        assert demo.stderr is not None
        complaints = demo.stderr.read()
        demo.wait(timeout=60)
    assert (demo.returncode, complaints) == (141, "")
    assert all(gone(pid) for pid in pids)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "name"), [("api.demo.server", "serinus"), ("api.demo.traffic", "customers")]
)
def test_a_part_that_crashes_ends_it_with_a_word(tmp_path: Path, module: str, name: str) -> None:
    """Code 4 and the name of what went away, not a demo that waits for nobody."""
    with running(tmp_path) as demo:
        until_open(demo)
        [pid] = [pid for pid, line in descendants(demo).items() if module in line]
        os.kill(pid, signal.SIGKILL)
        _, complaints = demo.communicate(timeout=60)
    assert demo.returncode == 4
    assert f"serinus: {name} ended with -9" in complaints
    assert "Traceback" not in complaints
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """Code 4, and which port it is."""
    with listen() as taken:
        port = taken.getsockname()[1]
        demo = ran(tmp_path, "--port", str(port))
    assert demo.returncode == 4
    assert f"port {port} of 127.0.0.1 cannot be had" in demo.stderr
    assert "Traceback" not in demo.stderr


def test_an_unknown_fault_is_a_usage_error(tmp_path: Path) -> None:
    """Code 2, at once, with the words that would do."""
    demo = ran(tmp_path, "--fault", "rain")
    assert demo.returncode == 2
    assert ", ".join(Fault) in demo.stderr
    assert demo.stdout == ""


def test_without_a_prometheus_the_wish_is_a_usage_error(tmp_path: Path) -> None:
    """Code 2, and what to do about it."""
    demo = ran(tmp_path, "--prometheus", PATH="", **dict.fromkeys(VARIABLES, ""))
    assert demo.returncode == 2
    assert "no Prometheus here" in demo.stderr


def shown(demo: subprocess.CompletedProcess[str]) -> str:
    """The story of a demo that ended as it should; else all of it."""
    told = f"{demo.stdout}\n{demo.stderr}"
    assert demo.returncode == 0, told
    assert not [noise for noise in NOISE if noise in told], told
    print(demo.stdout)
    return demo.stdout


def in_order(story: str, *events: str) -> None:
    """Each happened, one after the other."""
    at = 0
    for event in events:
        found = re.search(event, story[at:])
        assert found, f"{event!r} is not after\n{story[:at]}\nin\n{story[at:]}"
        at += found.end()


EVENTS = (
    "the shop is open",
    r"25 % of the traffic goes to v2",
    r"pass \(healthy\)",
    r"55 % of the traffic goes to v2",
    r"pass \(healthy\)",
    "v2 promoted",
    r"how it was decided: http://127\.0\.0\.1:\d+/rollouts/\w+",
    r"25 % of the traffic goes to v3",
    r"pass \(healthy\)",
    "v3 has turned bad: errors",
    # It writes a line of each error: what is seen first is said.
    r"fail \((error_rate|log_templates)_up\)",
    r"v3 aborted: Error.* against ",
    "the good went out, the bad was stopped",
    "the pages ended with this demo",
)


@pytest.mark.slow
@pytest.mark.timeout(SHOW_S + 30)
def test_the_good_goes_out_and_the_bad_is_stopped(tmp_path: Path) -> None:
    """The main job, from nothing to a rollback, on real processes under real traffic."""
    story = shown(ran(tmp_path, "--once"))
    in_order(story, *EVENTS)
    assert story.count("how it was decided") == 1, "the page of the last rollout is gone"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(SHOW_S + 30)
def test_it_is_the_same_with_a_real_prometheus(tmp_path: Path) -> None:
    """Scraped by Prometheus in place of serinus itself."""
    binary = str(require_server("prometheus2"))
    demo = ran(tmp_path, "--once", "--prometheus", **dict.fromkeys(VARIABLES, binary))
    in_order(shown(demo), r"scraped each second by Prometheus at http://", *EVENTS[1:])


@pytest.mark.e2e
@pytest.mark.timeout(SHOW_S + 30)
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            "latency",
            (r"v3 aborted: (Latency|Slow requests)", "its traces: .*in `SELECT orders` per"),
        ),
        ("leak", (r"v3 aborted: Restarts",)),
        ("one-pod", (r"v3 aborted: Errors on checkout-",)),
        ("logs", (r"v3 aborted: New error lines of template lt_\w+: \d+ in \d+ requests", RECEIPT)),
        ("none", ("the good went out: as it should be",)),
    ],
)
def test_each_fault_is_named_for_what_it_is(
    tmp_path: Path, fault: str, words: tuple[str, ...]
) -> None:
    """The gate says which signal, for one bad pod which pod, and what a new line reads."""
    in_order(shown(ran(tmp_path, "--once", "--fault", fault)), "v2 promoted", *words)
