"""`serinus pack test` as people call it, on a real Prometheus: what it prints, and exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.cli.served import serinus
from tests.docs import prometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

OURS = """\
name: our-http
title: The HTTP server of our shop
published: https://wiki.example.com/http
requests:
  - {metric: http_requests_total, errors: {labels: [code], codes: http}}
durations:
  - metric: http_request_duration_seconds_bucket
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prometheus.running(tmp_path_factory.mktemp("prometheus")) as url:
        yield url


def tried(folder: Path, text: str, *words: str) -> tuple[int, str, str]:
    file = folder / "ours.yaml"
    file.write_text(text, encoding="utf-8")
    result = serinus("pack", "test", str(file), *words)
    return result.exit_code, result.stdout, result.stderr


def test_a_good_pack_is_0_and_shows_query_and_sample(source: str, tmp_path: Path) -> None:
    """A person sees the numbers that their own metric has right now."""
    code, out, _ = tried(tmp_path, OURS, "--prometheus", source)
    assert code == 0
    assert "Services: checkout" in out
    assert 'http_requests_total{service="checkout",namespace="shop"' in out
    assert "sample  http_request_duration_seconds_bucket{" in out
    assert out.rstrip().endswith("by packs: or --packs.")


def test_what_is_not_bound_is_1(source: str, tmp_path: Path) -> None:
    """A script that ships packs stops at one that does not do what it says."""
    text = OURS.replace("[code]", "[kode]")
    code, out, _ = tried(tmp_path, text, "--prometheus", source)
    assert code == 1
    assert "error_rate: not bound: http_requests_total has no label that tells errors: kode" in out


def test_a_slip_in_the_file_is_2_and_names_the_field(source: str, tmp_path: Path) -> None:
    """Nothing is asked of the Prometheus for a file that is no pack."""
    text = OURS.replace("labels", "lables")
    code, out, err = tried(tmp_path, text, "--prometheus", source)
    assert (code, out) == (2, "")
    assert "ours.yaml: unknown key requests[0].errors.lables; there are labels, codes" in err


def test_no_metric_of_it_is_3_and_tells_the_nearest(source: str, tmp_path: Path) -> None:
    """Nothing was shown either way: neither a success nor a broken pack."""
    text = OURS.replace("http_requests", "http_request").replace("_seconds", "_minutes")
    code, out, _ = tried(tmp_path, text, "--prometheus", source)
    assert code == 3
    assert "http_request_total                    not there (requests[0].metric); nearest: " in out


def test_a_prometheus_that_is_away_is_4(tmp_path: Path) -> None:
    """A pipeline asks again later."""
    code, _, err = tried(tmp_path, OURS, "--prometheus", "http://127.0.0.1:1")
    assert code == 4
    assert "cannot connect" in err


def test_without_a_prometheus_it_says_what_to_give(tmp_path: Path) -> None:
    """The first thing that a person forgets."""
    code, _, err = tried(tmp_path, OURS)
    assert code == 2
    assert "--prometheus URL" in err


def test_programs_read_the_same(source: str, tmp_path: Path) -> None:
    """In CI nobody reads text."""
    code, out, _ = tried(tmp_path, OURS, "--prometheus", source, "--format", "json")
    body = json.loads(out)
    assert (code, body["code"], body["pack"]) == (0, 0, "our-http")
    (one,) = body["tried"]
    assert {bound["name"] for bound in one["bound"]} >= {"error_rate", "latency"}
    assert all(bound["sample"]["value"] >= 0 for bound in one["bound"])


def test_a_folder_of_packs_is_used_by_check(source: str, tmp_path: Path) -> None:
    """What was tried is what judges: the pack by --packs takes the place of ours of its name."""
    text = OURS.replace("our-http", "prometheus-client").replace("[code]", "[kode]")
    (tmp_path / "ours.yaml").write_text(text, encoding="utf-8")
    words = ["check", "--service", "checkout", "--canary", '{pod=~"checkout-6d9f7c-.+"}']
    result = serinus(*words, "--prometheus", source, "--packs", str(tmp_path), "--format", "json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["reason"]["code"] == "signal_missing"


def test_packs_of_a_server_are_its_own(tmp_path: Path) -> None:
    """A flag that would be ignored is refused."""
    words = ["--server", "http://127.0.0.1:1", "--packs", str(tmp_path)]
    result = serinus("check", "--service", "a", "--canary", '{pod="a"}', *words)
    assert result.exit_code == 2
    assert "a server has its own packs" in result.stderr
