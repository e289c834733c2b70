"""The labelled machines are read as they are written, and counted as is said."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from bench.stream.labelled import alarms, main
from bench.stream.machines import Machine, machines_in

ROWS = 1200


def write(folder: Path, name: str, *, metrics: int = 4, seed: int = 0) -> None:
    """One machine in the layout of the published sets; a window of 60 rows in two metrics."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    train, test = (0.5 + 0.05 * rng.normal(size=(ROWS, metrics)) for _ in range(2))
    test[600:660, [0, 2]] += 0.4
    label = np.zeros((ROWS, 1))
    label[600:660] = 1
    head = ",".join(f"m{number:02d}" for number in range(metrics))
    for part, table, more in (("train", train, ""), ("test", np.hstack([test, label]), ",label")):
        with gzip.open(folder / f"{name}_{part}.csv.gz", "wt", encoding="ascii") as out:
            np.savetxt(out, table, fmt="%.6f", delimiter=",", header=head + more, comments="")
    (folder / f"{name}_interpretation.txt").write_text("600-659:1,3\n", encoding="ascii")


def test_a_machine_is_read_whole(tmp_path: Path) -> None:
    """Metrics are numbered from 1 by the publishers and from 0 here."""
    write(tmp_path / "smd", "machine-9-9")
    (one,) = machines_in(tmp_path)
    assert (one.set, one.name, one.step_s) == ("smd", "machine-9-9", 60.0)
    assert one.train.shape == one.test.shape == (ROWS, 4)
    assert np.flatnonzero(one.label).tolist() == list(range(600, 660))
    assert [(b.first, b.last, b.metrics) for b in one.blames] == [(600, 659, frozenset({0, 2}))]


def test_other_machines_are_judged_with_what_they_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has machines of one set only asks for figures of that set only."""
    write(tmp_path / "smd", "machine-9-9")
    file = tmp_path / "figures.json"
    assert main(["--quick", "--dir", str(tmp_path), "--json", str(file)]) == 0
    written = json.loads(file.read_text(encoding="utf-8"))
    assert written["asked"] == {"smd_ap": [">=", 0.6]}
    assert written["figures"]["smd_ap"] > 0.9
    assert written["figures"]["smd_blame"] == 1.0
    assert "asd_ap" not in written["figures"]
    assert written["peers"]["sklearn_isolation_forest"]["smd_ap"] < written["figures"]["smd_ap"]
    assert "smd_vus_pr" in capsys.readouterr().out


def test_an_empty_folder_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not a bench that passes on nothing."""
    assert main(["--dir", str(tmp_path)]) == 2
    assert "asd/ and smd/" in capsys.readouterr().out


def test_alarms_are_counted_in_windows_and_in_runs() -> None:
    """Two rows of alarm in a row are one; an alarm that reaches into a window is not false."""
    label = np.array([0, 0, 0, 1, 1, 0, 0, 1, 0, 0])
    alarm = np.array([1, 1, 0, 0, 1, 1, 0, 0, 0, 1], dtype=bool)
    machine = Machine(
        set="asd",
        name="one",
        train=np.zeros((1, 1)),
        test=np.zeros((10, 1)),
        label=label,
        blames=(),
    )
    counted = alarms(machine, alarm)
    assert counted["found"] == 0.5
    assert counted["false_a_day"] == pytest.approx(2 / (10 * 300 / 86_400))
