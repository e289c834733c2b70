"""`serinus fit` on a real Prometheus: the first model, the second, and what is told of both."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.cli.served import serinus
from tests.pipelines.flows.releases import Week, openmetrics_of
from tests.servers import make_blocks, require_server, running_prometheus

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(240)]

LENGTH_S = 6 * 3600.0


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Prometheus with six hours of a service that ended just now."""
    require_server("prometheus2")
    folder = tmp_path_factory.mktemp("prometheus")
    week = Week(length_s=LENGTH_S, rate=10.0, begin=time.time() - LENGTH_S - 40)
    make_blocks(openmetrics_of(week), folder / "data")
    with running_prometheus("prometheus2", folder) as server:
        yield server.url


def fitted(source: str, data: Path, *more: str, code: int = 0) -> list[dict[str, Any]]:
    """What `serinus fit` tells programs."""
    asked = serinus(
        *("fit", "--days", "0.25", "--step", "60", "--format", "json", *more),
        *("--data", str(data), "--prometheus", source),
    )
    assert asked.exit_code == code, asked.output
    told: list[dict[str, Any]] = json.loads(asked.stdout)
    return told


def test_the_second_model_is_tried_against_the_first(source: str, tmp_path: Path) -> None:
    """All services of the source are found, the model is kept, and a like one does not replace it.

    The second time in two processes, which gives the same.
    """
    (first,) = fitted(source, tmp_path)
    assert (first["service"], first["why"], first["version"]) == ("checkout", "first", 1)
    assert first["metrics"] == ["requests", "error_rate"]
    assert first["promoted"]
    (second,) = fitted(source, tmp_path, "--service", "checkout", "--jobs", "2")
    assert (second["version"], second["predecessor"]) == (2, 1)
    assert second["why"] == "no_better"
    assert not second["promoted"]
    assert "version 1" in second["text"]
    assert second["predecessor_shown"]["found"] == pytest.approx(second["shown"]["found"], abs=0.02)


def test_a_run_that_is_gone_on_with_stores_what_it_fitted_once(source: str, tmp_path: Path) -> None:
    """A dry run with a folder first: its model is stored by the next, and by that one alone."""
    words = ("--service", "checkout", "--resume", str(tmp_path / "run"))
    (dry,) = fitted(source, tmp_path / "data", *words, "--dry-run")
    assert dry["version"] is None
    (first,) = fitted("http://127.0.0.1:1", tmp_path / "other", *words[:2], code=4)
    assert first["why"] == "failed"
    told = [fitted(source, tmp_path / "data", *words)[0] for _ in range(2)]
    assert [one["version"] for one in told] == [1, 1]
    assert told[0]["until"] == dry["until"]


def test_a_dry_run_keeps_nothing(source: str, tmp_path: Path) -> None:
    """Looking changes nothing."""
    (told,) = fitted(source, tmp_path, "--service", "checkout", "--namespace", "shop", "--dry-run")
    assert (told["version"], told["why"]) == (None, "first")
    assert not list(tmp_path.iterdir())


def test_a_service_that_is_not_there_is_told(source: str, tmp_path: Path) -> None:
    """In a sentence, with the exit code of what could not be done."""
    asked = serinus(
        *("fit", "--service", "nobody", "--data", str(tmp_path), "--prometheus", source),
    )
    assert asked.exit_code == 4
    assert "nobody" in asked.stdout


def test_what_is_odd_is_asked_of_the_model_that_was_kept(source: str, tmp_path: Path) -> None:
    """A quiet service shows nothing; without a model there is the next move."""
    where = ("--data", str(tmp_path), "--prometheus", source)
    before = serinus("odd", "--service", "checkout", *where)
    assert before.exit_code == 2
    assert "serinus fit --service checkout`" in before.output.replace("\n", " ")
    fitted(source, tmp_path, "--service", "checkout")
    after = serinus("odd", "--service", "checkout", "--hours", "2", "--below", "1e-6", *where)
    assert after.exit_code == 0, after.output
    looked = serinus("odd", "--service", "checkout", "--hours", "2", "--format", "json", *where)
    # The samples end when the fixture was made: that its requests then stop is odd indeed.
    told = [one for one in json.loads(looked.stdout) if one["p_value"] < 1e-6]
    assert all(one["start"] > time.time() - 600 for one in told)
