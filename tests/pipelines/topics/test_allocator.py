"""What the C library does with memory that is freed, in a process of its own."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CODE = """
import resource, sys
from pipelines.topics.allocator import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def answers(count):
    for number in range(count):
        big = bytearray(6_000_000 + 500_000 * (number % 7))
        parts = [bytes(big[at : at + 120_000]) for at in range(0, len(big), 120_000)]
answers(10)
before = faults()
answers(50)
print(faults() - before)
"""


def faults(which: str) -> int:
    """Page faults of fifty large answers, cut into messages."""
    words = [sys.executable, "-c", CODE, which]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, check=True, timeout=60)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told")
def test_large_answers_cost_no_new_pages() -> None:
    """A third of a worker's CPU went into pages that it had just given back."""
    pages = 50 * 6_000_000 // resource.getpagesize()
    assert faults("kept") < pages // 20
    assert faults("as it is") > 2 * faults("kept")
