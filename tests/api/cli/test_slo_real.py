"""`serinus slo` on a real Prometheus of four weeks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.cli.served import serinus
from tests.servers import make_blocks, running_prometheus

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

DAYS, STEP = 28, 300
SHARES = {"calm": 0.0003, "gone": 0.004, "burning": 0.0003}


def history(now: float) -> str:
    """Three services of a thousand requests in five minutes; one fails for its last hour."""
    lines = ["# TYPE requests counter"]
    begin = int(now) - DAYS * 86_400
    for service, share in SHARES.items():
        ok, bad, rows = 0.0, 0.0, []
        for at in range(begin, int(now), STEP):
            rate = 0.05 if service == "burning" and now - at < 3600 else share
            ok, bad = ok + 1000 * (1 - rate), bad + 1000 * rate
            rows.append((at, ok, bad))
        for code, column in (("200", 1), ("500", 2)):
            own = f'requests_total{{job="{service}",code="{code}"}}'
            lines += [f"{own} {row[column]:.3f} {row[0]}" for row in rows]
    return "\n".join([*lines, "# EOF", ""])


def document(service: str) -> str:
    return f"""
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {service}}}
spec:
  service: {service}
  indicator:
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource: {{spec: {{query: 'requests_total{{job="{service}",code=~"5.."}}'}}}}
        total:
          metricSource: {{spec: {{query: 'requests_total{{job="{service}"}}'}}}}
  timeWindow: [{{duration: 28d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{targetPercent: 99.9}}]
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("prometheus")
    make_blocks(history(time.time()), folder / "data")
    with running_prometheus("prometheus2", folder) as server:
        yield server.url


def told(source: str, folder: Path, *services: str) -> tuple[int, list[dict[str, object]]]:
    file = folder / "slo.yaml"
    file.write_text("---".join(map(document, services)), "utf-8")
    words = ["slo", "status", str(file), "--prometheus", source]
    result = serinus(*words, "--format", "json")
    assert result.stdout, result.output
    print(serinus(*words).stdout)
    return result.exit_code, json.loads(result.stdout)


def test_three_services_and_how_they_stand(source: str, tmp_path: Path) -> None:
    """One is calm, one has spent what it had, one burns since an hour."""
    code, found = told(source, tmp_path, *SHARES)
    assert code == 1
    assert [one["state"] for one in found] == ["quiet", "ticket", "page"]
    left = [one["budget"]["left"] for one in found]  # type: ignore[index]
    assert left == [
        pytest.approx(0.7, abs=0.01),
        pytest.approx(-3, abs=0.05),
        pytest.approx(0.63, abs=0.02),
    ]


def test_calm_is_0_and_unknown_is_3(source: str, tmp_path: Path) -> None:
    """A service that nobody counts is never fine."""
    assert told(source, tmp_path, "calm")[0] == 0
    code, found = told(source, tmp_path, "calm", "nobody")
    assert (code, found[1]["state"]) == (3, "unknown")
