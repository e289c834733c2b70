"""The cases of the root-cause bench: read as published, torn rows left out, answers kept aside."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.correlate import petshop, trainticket
from bench.correlate.peers import PEERS
from bench.correlate.rca import main
from detector.correlate.evidence import Kind
from detector.correlate.ranking import ranked

NODES = ("web", "cart")
COLUMNS = [
    (node, metric, statistic)
    for node in NODES
    for metric, statistic in (
        ("latency", "Average"),
        ("requests", "Sum"),
        ("availability", "Average"),
    )
]


def table(path: Path, start: int, rows: int, slow: tuple[int, ...] = ()) -> None:
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for header in range(3):
            writer.writerow(["", *(column[header] for column in COLUMNS)])
        writer.writerow(["unix_timestamp", *[""] * len(COLUMNS)])
        for row in range(rows):
            more = 0.5 if row in slow else 0.0
            noise = 0.001 * (row * 7 % 5)
            values = [0.2 + noise + more, 100, 100.0, 0.1 + noise + more, 100, ""]
            writer.writerow([float(start + 300 * row), *values])


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "petshop" / "low"
    table(folder / "noissue" / "metrics.csv", 1_000_000, 60)
    issue = folder / "test" / "issue_0"
    table(issue / "metrics.csv", 2_000_000, 5, slow=(2, 3, 4))
    (folder / "graph.csv").write_text(",web,cart\nweb,0.0,1.0\ncart,0.0,\n", encoding="utf-8")
    told = {
        "target": {"node": "web", "metric": "latency", "agg": "Average", "timestamp": 2_000_600},
        "root_cause": {"node": "cart", "metric": None},
        "metadata": {"reproducibility": {"command": "the answer is cart"}},
    }
    (issue / "target.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


def test_an_incident_of_petshop_is_read_and_traced(shop: Path) -> None:
    """Three header rows, a line of units, empty cells; rows before the incident are *before*."""
    (case,) = petshop.cases(shop)
    assert (case.group, case.guilty) == ("latency", "cart")
    assert [(c.caller, c.callee) for c in case.scene.calls] == [("web", "cart")]
    latency = next(g for g in case.scene.gauges if g.kind is Kind.LATENCY)
    assert (len(latency.past), len(latency.before), len(latency.during)) == (60, 2, 3)
    assert ranked(case.scene).suspects[0].service == "cart"


def test_what_was_injected_is_not_shown_to_a_ranker(shop: Path) -> None:
    """A scene holds measurements only."""
    (case,) = petshop.cases(shop)
    assert "the answer" not in repr(case.scene)


def test_windows_of_the_normal_period_are_no_part_of_their_own_past(shop: Path) -> None:
    """Else they would always be normal."""
    cases = list(petshop.normal_cases(shop, 20, "web"))
    assert len(cases) == 6
    assert all(len(one.past) == 55 for case in cases for one in case.scene.gauges)


def packed(path: Path, header: list[str], rows: list[list[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def minute(folder: Path, at: datetime, *, broken: bool, kinds: tuple[str, str]) -> None:
    """Twenty requests, one in three seconds; a row of each file is torn."""
    spans: list[list[object]] = [["x", "torn"]]
    lines: list[list[object]] = [["torn", "", "n", "cart-1", "c", "t", "s", "no time"]]
    for number in range(20):
        begin = int((at + timedelta(seconds=3 * number)).timestamp() * 1e9)
        web, cart = f"{at:%H%M}{number}w", f"{at:%H%M}{number}c"
        spans.append([number, web, "root", "web-1", "GET /", begin, begin + 9_000_000, 9000])
        spans.append([number, cart, web, "cart-1", "add", begin + 10, begin + 5_000_000, 5000])
        for text in ("INFO asking for stock", *(() if broken else ("INFO stock is there",))):
            told = json.dumps({"log": f"12:00:00 {text}\n"})
            lines.append(["", begin, "n", "cart-1", "c", number, cart, told])
    trace, log = kinds
    name = f"{at:%H_%M}"
    columns = ["TraceID", "SpanID", "ParentID", "PodName", "OperationName"]
    times = ["StartTimeUnixNano", "EndTimeUnixNano", "Duration"]
    packed(folder / trace / f"{name}_trace.csv.gz", columns + times, spans)
    header = [
        "Timestamp",
        "TimeUnixNano",
        "Node",
        "PodName",
        "Container",
        "TraceID",
        "SpanID",
        "Log",
    ]
    packed(folder / log / f"{name}_log.csv.gz", header, lines)


@pytest.fixture
def day(tmp_path: Path) -> Path:
    folder = tmp_path / "nezha"
    fault = datetime(2023, 1, 29, 9, 10, 0, tzinfo=UTC)
    minute(folder, fault - timedelta(minutes=30), broken=False, kinds=("normal", "normal"))
    for later in range(3):
        minute(folder, fault + timedelta(minutes=later), broken=True, kinds=("trace", "log"))
    rows: list[list[object]] = [
        ["", (fault + timedelta(minutes=ago)).timestamp(), "cart-1", 10.0, ""]
        for ago in range(-20, 5)
    ]
    header = ["Time", "TimeStamp", "PodName", "CpuUsage(m)", "NodeCpuUsageRate(%)"]
    packed(folder / "metric" / "cart-1_metric.csv.gz", header, rows)
    told = {"inject_time": f"{fault:%Y-%m-%d %H:%M:%S}", "inject_pod": "cart-1", "inject_type": "x"}
    (folder / "faults.json").write_text(json.dumps({"09": [told]}), encoding="utf-8")
    return folder


def test_a_fault_of_nezha_is_read_and_traced(day: Path) -> None:
    """Metrics, logs and traces of the minutes around it; torn rows cost themselves only."""
    (case,) = trainticket.cases(day)
    assert case.guilty == "cart-1"
    assert {one.name for one in case.scene.gauges if one.kind is Kind.RESOURCE} == {"CpuUsage(m)"}
    first = ranked(case.scene).suspects[0]
    assert (first.service, first.kind) == ("cart-1", Kind.BEHAVIOUR)


@pytest.mark.parametrize("peer", PEERS)
def test_peers_rank_whatever_is_measured(shop: Path, peer: str) -> None:
    """A peer that fails on a case would look bad for no fault of its method."""
    (case,) = petshop.cases(shop)
    assert set(PEERS[peer](case.scene)) == {"web", "cart"}


def test_a_folder_without_cases_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Figures of nothing would read as a success."""
    with pytest.raises(SystemExit):
        main(["--dir", str(tmp_path)])
    assert "graph.csv" in capsys.readouterr().err


def test_the_bench_tells_shares_with_intervals(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of one is not certainty: the interval says so."""
    file = tmp_path / "figures.json"
    main(["--dir", str(shop), "--json", str(file), "--quick"])
    figures = json.loads(file.read_text(encoding="utf-8"))["figures"]
    assert (figures["top1"], figures["top3"], figures["avg5"]) == (1.0, 1.0, 1.0)
    assert figures["petshop_latency_top1_low"] == pytest.approx(0.025)
    assert "petshop_latency_specificity" in capsys.readouterr().out
