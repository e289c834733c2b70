"""The bench of the competition's hourly series, on a few that are made up."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from bench.forecast import m4

HOURS = 700
NAMES = ("H1", "H2", "H3")


def write(folder: Path) -> None:
    """Three series of a day and some noise, in the layout of the published files."""
    rng = np.random.default_rng(1)
    hour = np.arange(HOURS + m4.AHEAD)
    rows = [
        100 + 20 * np.sin(2 * np.pi * (hour - k) / 24) + rng.normal(0, 2, len(hour))
        for k in range(3)
    ]
    for name, part in (("train", slice(None, HOURS)), ("test", slice(HOURS, None))):
        head = ["V1", *(f"V{place}" for place in range(2, len(hour[part]) + 2))]
        lines = [",".join(head)]
        for one, values in zip(NAMES, rows, strict=True):
            # A shorter series ends with empty cells.
            lines.append(",".join([one, *(f"{value:.3f}" for value in values[part]), ""]))
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_without_the_data_it_says_where_they_should_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And measures nothing."""
    assert m4.main(["--dir", str(tmp_path)]) == 2
    assert f"{tmp_path}: no data set there" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(find_spec("statsforecast") is None, reason="peers need statsforecast")
def test_it_measures_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Figures of ours and of peers, what was asked, and a table."""
    write(tmp_path)
    file = tmp_path / "figures.json"
    code = m4.main(["--dir", str(tmp_path), "--quick", "--json", str(file)])
    body = json.loads(file.read_text(encoding="utf-8"))
    figures = body["figures"]
    assert set(body["asked"]) == {"m4_mase", "m4_smape", "m4_msis"} <= set(figures)
    assert body["setup"]["series"] == 1
    assert set(body["peers"]) == {"daily_naive", "seasonal_naive", "auto_theta"}
    assert code == int(any(figures[name] > bound for name, (_, bound) in body["asked"].items()))
    assert "serinus" in capsys.readouterr().out


def test_ours_are_scored_beside_the_naive(tmp_path: Path) -> None:
    """The noise of two hours is the naive forecast's, that of one is ours; intervals hold."""
    write(tmp_path)
    past, came = (m4._series(tmp_path / f"{name}.csv") for name in ("train", "test"))
    common = m4._common(list(past.values()))
    assert common is not None
    assert (common.past, common.ahead) == (m4.PAST, m4.AHEAD)
    told = {name: m4._ours(past[name], common) for name in NAMES}
    ours = m4._figures(told, past, came)
    naive = m4._figures(m4._peer("daily_naive", past, NAMES), past, came)
    assert 0.5 < ours["m4_mase"] < naive["m4_mase"]
    assert ours["m4_msis"] < naive["m4_msis"]
    assert ours["coverage95"] > 0.85


def test_scores_are_the_competition_s() -> None:
    """By hand: naive steps of a day are two, so is the error; one of 48 hours is out by three."""
    past = np.tile(np.repeat([0.0, 2.0], 24), 4)
    came = np.full(48, 10.0)
    point, low, high = came + 2, came - 1, came + 4
    came = np.append(came[:-1], 6.0)
    told = (np.append(point[:-1], 8.0), low, high)
    mase, smape, msis, covered = m4._scores(told, past, came)
    assert mase == pytest.approx(1)
    assert smape == pytest.approx((47 * 400 / 22 + 400 / 14) / 48)
    assert msis == pytest.approx((5 + 3 * 40 / 48) / 2)
    assert covered == pytest.approx(47 / 48)


def test_series_may_end_at_different_lengths(tmp_path: Path) -> None:
    """Empty cells are none."""
    (tmp_path / "a.csv").write_text("V1,V2,V3\nH1,1,2\nH2,3,\n", encoding="utf-8")
    found = {name: values.tolist() for name, values in m4._series(tmp_path / "a.csv").items()}
    assert found == {"H1": [1, 2], "H2": [3]}
