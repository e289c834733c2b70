"""`serinus backtest` on a real Prometheus that remembers a good and a bad rollout."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.api.cli.served import serinus
from tests.pipelines.flows.releases import CANARY_S, Release, Week, openmetrics_of, pods_of
from tests.servers import make_blocks, require_server, running_prometheus

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(240)]

GOOD, BAD = Release(at=2.2 * 3600), Release(at=3.2 * 3600, errors=0.04, taken_back=True)
LENGTH_S = 4 * 3600.0


@pytest.fixture(scope="module")
def week() -> Week:
    """Four hours that ended just now."""
    return Week(length_s=LENGTH_S, releases=(GOOD, BAD), begin=time.time() - LENGTH_S - 60)


@pytest.fixture(scope="module")
def source(week: Week, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the Prometheus."""
    require_server("prometheus2")
    folder = tmp_path_factory.mktemp("prometheus")
    make_blocks(openmetrics_of(week), folder / "data")
    with running_prometheus("prometheus2", folder) as server:
        yield server.url


@pytest.fixture(scope="module")
def rollouts(week: Week, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The list."""
    file = tmp_path_factory.mktemp("list") / "rollouts.jsonl"
    lines = [json.dumps(line(week, release)) for release in week.releases]
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def line(week: Week, release: Release) -> dict[str, object]:
    """One rollout as a person would write it down."""
    (first, *_) = [pod.name for pod in pods_of(week) if pod.born == release.at]
    begin = week.begin + release.at
    return {
        "service": "checkout",
        "namespace": "shop",
        "canary": f'{{pod=~"{first.rsplit("-", 1)[0]}-.+"}}',
        "started_at": datetime.fromtimestamp(begin, UTC).isoformat(),
        "deadline": datetime.fromtimestamp(begin + CANARY_S, UTC).isoformat(),
        "truth": "regressed" if release.taken_back else "healthy",
    }


def test_a_good_and_a_bad_rollout_of_the_past_are_told_apart(
    source: str, rollouts: Path, tmp_path: Path
) -> None:
    """With what Prometheus remembers of them, and nothing else."""
    page = tmp_path / "page.html"
    result = serinus(
        *("backtest", "--rollouts", str(rollouts), "--prometheus", source, "--every", "60s"),
        *("--html", str(page), "--format", "json", "--data", str(tmp_path)),
    )
    assert result.exit_code == 0, result.output
    made = json.loads(result.stdout)
    (totals,) = made["policies"]
    assert (totals["false_rollbacks"]["hits"], totals["detections"]["hits"]) == (0, 1)
    good, bad = (one["judged"][0] for one in made["rollouts"])
    assert (good["outcome"], bad["outcome"], bad["signal"]) == ("pass", "fail", "error_rate")
    assert "Backtest of 2 rollouts" in page.read_text(encoding="utf-8")


def test_a_backtest_that_is_gone_on_with_asks_nothing_again(
    source: str, rollouts: Path, tmp_path: Path
) -> None:
    """All that was played is in its folder: it takes no time, and says the same."""
    asked = ("backtest", "--rollouts", str(rollouts), "--prometheus", source, "--every", "120s")
    kept = ("--format", "json", "--data", str(tmp_path), "--resume", str(tmp_path / "run"))
    first, again = (json.loads(serinus(*asked, *kept).stdout) for _ in range(2))
    assert again["rollouts"] == first["rollouts"]
    assert again["took_s"] < first["took_s"]


def test_starts_that_nobody_wrote_down_are_found(
    source: str, rollouts: Path, tmp_path: Path
) -> None:
    """The canary's first sample."""
    lines = [json.loads(text) for text in rollouts.read_text(encoding="utf-8").splitlines()]
    told = [datetime.fromisoformat(one.pop("started_at")).timestamp() for one in lines]
    file = tmp_path / "list.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    result = serinus(
        *("backtest", "--rollouts", str(file), "--prometheus", source, "--every", "5m"),
        *("--format", "json", "--data", str(tmp_path)),
    )
    assert result.exit_code == 0, result.output
    found = [
        datetime.fromisoformat(one["started_at"]).timestamp()
        for one in json.loads(result.stdout)["rollouts"]
    ]
    assert [abs(one - other) < 20 for one, other in zip(found, told, strict=True)] == [True, True]


def test_bad_lines_are_told_and_can_be_left_out(
    source: str, rollouts: Path, tmp_path: Path
) -> None:
    """First all that is wrong; then, if wished, the rest."""
    text = rollouts.read_text(encoding="utf-8")
    file = tmp_path / "list.jsonl"
    file.write_text(f"{text}\n{{\n", encoding="utf-8")
    words = (
        *("backtest", "--rollouts", str(file), "--prometheus", source, "--every", "5m"),
        *("--data", str(tmp_path)),
    )
    refused, done = serinus(*words), serinus(*words, "--skip-bad")
    assert refused.exit_code == 2
    assert "line 3: is not JSON" in refused.output
    assert "--skip-bad" in refused.output
    assert done.exit_code == 0, done.output
    assert "left out 1 of 3 lines" in done.output


def test_the_last_rollouts_are_those_of_the_store(source: str, week: Week, tmp_path: Path) -> None:
    """What the gate was asked about is asked again, with what it was told."""
    for release in week.releases:
        asked = line(week, release)
        result = serinus(
            *("check", "--prometheus", source, "--data", str(tmp_path / "data")),
            *("--service", "checkout", "--namespace", "shop", "--canary", str(asked["canary"])),
            *("--started-at", str(asked["started_at"]), "--deadline", str(asked["deadline"])),
        )
        assert result.exit_code in (0, 1, 3), result.output
    result = serinus(
        *("backtest", "--last", "5", "--prometheus", source, "--every", "60s"),
        *("--format", "json", "--data", str(tmp_path / "data")),
    )
    assert result.exit_code == 0, result.output
    ends = [one["judged"][0]["outcome"] for one in json.loads(result.stdout)["rollouts"]]
    assert ends == ["pass", "fail"]


def test_without_a_store_the_last_rollouts_are_seen_in_the_source(
    source: str, tmp_path: Path
) -> None:
    """Whoever just came has no list, and nothing that the gate remembers."""
    result = serinus(
        *("backtest", "--last", "5", "--prometheus", source, "--every", "60s"),
        *("--format", "json", "--data", str(tmp_path)),
    )
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["rollouts"]
    assert [one["name"].rsplit(", ", 1)[1] for one in found] == ["promoted", "rolled back"]
    assert [one["judged"][0]["outcome"] for one in found] == ["pass", "fail"]


def test_nothing_to_judge_is_told(source: str, tmp_path: Path) -> None:
    """Neither a list, nor anything remembered."""
    words = ("--data", str(tmp_path), "--prometheus", source)
    neither = serinus("backtest", *words)
    nowhere = serinus("backtest", "--last", "3", "--service", "cart", *words)
    assert (neither.exit_code, nowhere.exit_code) == (2, 2)
    assert "give a list of rollouts" in neither.output
    assert "no rollout that is over is remembered" in nowhere.output
