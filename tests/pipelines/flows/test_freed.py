"""Memory that a process is done with is the system's again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
# A heap with holes: every other block stays, so that its end is in use.
PROGRAM = """
import ctypes
from pathlib import Path
from pipelines.flows.freed import give_back_freed_memory

def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
blocks = [libc.malloc(100_000) for _ in range(600)]
for block in blocks:
    ctypes.memset(block, 1, 100_000)
for block in blocks[::2]:
    libc.free(block)
before = resident()
print(give_back_freed_memory(), before - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="malloc_trim is glibc's")
def test_freed_memory_in_the_midst_of_the_heap_is_given_back() -> None:
    """After a million new series 30 MB would stay the stream's for ever, and nobody's."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    was_given, given = done.stdout.split()
    assert was_given == "True"
    assert int(given) > 15_000_000
