"""How fast lines become counted templates on one core, and how much memory templates take."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import process_time

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from bench.logs.mix import mix, shapes  # noqa: E402
from models.templates.miner import Miner, Settings  # noqa: E402

__all__ = ["ASKED", "line_figures"]

ASKED = {
    "lines_core_s": (">=", 500_000.0),
    "drain3_ratio": (">=", 20.0),
    "rss_mb": ("<=", 300.0),
}
_BATCH, _PEER_LINES = 20_000, 8_000
TEMPLATES = 100_000
_NEWLINE, _MARKS = 10, np.frombuffer(b" :,;=|", np.uint8)


def counted(miner: Miner, raw: NDArray[np.uint8]) -> int:
    """Bytes of lines, cut at their ends, mined and counted by template; how many lines."""
    ends = np.flatnonzero(raw == _NEWLINE) + 1
    _, count = np.unique(miner.add(raw, ends).number, return_counts=True)
    return int(count.sum())


def buffers(lines: Sequence[bytes]) -> list[NDArray[np.uint8]]:
    """Batches as a door or a followed file gives them."""
    return [
        np.frombuffer(b"\n".join(lines[i : i + _BATCH]) + b"\n", np.uint8)
        for i in range(0, len(lines), _BATCH)
    ]


def ours(miner: Miner, lines: Sequence[bytes]) -> float:
    """Lines per CPU second."""
    batches = buffers(lines)
    began = process_time()
    done = sum(counted(miner, raw) for raw in batches)
    return done / (process_time() - began)


class Drain:
    """drain3 with its default settings."""

    def __init__(self) -> None:
        from drain3 import TemplateMiner
        from drain3.template_miner_config import TemplateMinerConfig

        self._drain = TemplateMiner(config=TemplateMinerConfig())

    def rate(self, lines: Sequence[bytes]) -> float:
        """Lines per CPU second."""
        texts = [line.decode() for line in lines]
        began = process_time()
        for text in texts:
            self._drain.add_log_message(text)
        return len(texts) / (process_time() - began)


def line_figures(folder: Path, *, quick: bool) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Ours, and drain3's by the same lines in between, each after a first round that is not timed.

    Every round has parameters that were never there before. Of the rounds the median counts.
    """
    known = shapes(folder)
    if not known:
        return {}, {}
    miner, drain = Miner(), Drain()
    first = mix(known, 1, seed=0)
    ours(miner, first)
    drain.rate(first)
    rates, peers = [], []
    for nth in range(3 if quick else 9):
        lines = mix(known, 5 if quick else 10, seed=1 + nth)
        rates.append(ours(miner, lines))
        peers.append(drain.rate(lines[:_PEER_LINES]))
    figures = {
        "lines_core_s": statistics.median(rates),
        "lines_core_s_least": min(rates),
        "drain3_ratio": statistics.median(rates) / statistics.median(peers),
        "templates_of_mix": float(miner.tally.templates),
        **_memory(),
    }
    return figures, {"lines_core_s": statistics.median(peers)}


def _memory() -> dict[str, float]:
    """Of a process of its own that holds as many templates as there may be.

    One before it sees to it that all loops are compiled: the compiler takes some 60 MB, once.
    """
    command = [sys.executable, __file__]
    subprocess.run([*command, "small"], capture_output=True, check=True, cwd=ROOT)
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    rss, explosion, kept = map(float, told.stdout.split())
    return {"rss_mb": rss, "explosion_lines_core_s": explosion, "explosion_templates": kept}


def _explode(most: int) -> None:
    """Twice as many templates as there is room for: ten words that are never there again.

    Marks between them differ, as no shape may have a room for itself.
    """
    import psutil

    rng = np.random.default_rng(1)
    miner = Miner(Settings(templates=most))
    largest, spent, rounds = 0, 0.0, max(1, 2 * most // _BATCH)
    for _ in range(rounds):
        letters = rng.integers(97, 123, (_BATCH, 10 * 9), dtype=np.uint8)
        letters[:, 8::9] = rng.choice(_MARKS, (_BATCH, 10))
        letters[:, -1] = _NEWLINE
        began = process_time()
        counted(miner, letters.ravel())
        spent += process_time() - began
        largest = max(largest, psutil.Process().memory_info().rss)
    print(largest / 2**20, rounds * _BATCH / spent, miner.tally.templates)


if __name__ == "__main__":
    _explode(TEMPLATES if len(sys.argv) == 1 else TEMPLATES // 100)
