"""How many threads the linear algebra of a `serinus` process has."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

# What the command does before anything else, then what its numpy was loaded with.
PROBE = """
import json, sys
from api.cli import main
sys.argv = ["serinus", "version"]
try:
    main()
except SystemExit:
    pass
import numpy
from threadpoolctl import threadpool_info
print(json.dumps([one["num_threads"] for one in threadpool_info()]))
"""
NAMES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def threads(**environment: str) -> list[int]:
    """Of each pool of threads in a process that began as the command does."""
    clean = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[int] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_process_of_ours_does_not_spin_beside_itself() -> None:
    """A server on a machine of 64 cores would keep all of them busy with one poll."""
    found = threads()
    assert found
    assert set(found) == {1}


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="a second thread needs a second core")
def test_who_wants_more_threads_gets_them() -> None:
    """What an administrator sets is not overruled."""
    assert 2 in threads(**dict.fromkeys(NAMES, "2"))
