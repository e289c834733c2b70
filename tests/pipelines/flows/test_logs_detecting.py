"""What is odd about lines joins what is odd about metrics: told once, kept, and answered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from detector.logs.lines import Level
from detector.logs.settings import LogSettings
from detector.stream.anomaly import AnomalyKind, AnomalyState, Happened, Judged
from detector.stream.feedback import Feedback
from detector.stream.record import AnomalyFilter, KeptAnomaly
from pipelines.stores.anomalies import SqlAnomalies
from tests.pipelines.flows.logging import Life, lines, opened

SETTINGS = LogSettings(learn_s=1_800.0, alarms_a_week=5.0)
TRACE = "Error: no bank\n    at charge (pay.js:7:3)\n    at main (app.js:{n}:1)"


def begun(folder: Path, before: Life | None = None) -> Life:
    """A process on the folder, as the first or after one that was killed."""
    return opened(folder, None if before is None else before.clock, logs=SETTINGS)


def write(life: Life, minutes: int, *more: tuple[Level, str]) -> None:
    """A service writes what it always does, and some more each minute."""
    for _ in range(minutes):
        life.clock.now += 60
        said = [(Level.INFO, "GET /cart took 12 ms")] * 5 + [(Level.WARN, "cache is cold")]
        assert life.flow.put("default", lines([*said, *more], at=life.clock.now))


def odd(life: Life) -> list[KeptAnomaly]:
    """Anomalies of lines that are kept."""
    assert life.stream.drain(60)
    page = SqlAnomalies(life.database).list(AnomalyFilter(tenant="default"))
    return [one for one in page.anomalies if one.anomaly.kind is not AnomalyKind.METRIC]


def test_a_new_error_is_an_anomaly_that_names_its_line(tmp_path: Path) -> None:
    """Nobody has to ask what changed at night."""
    life = begun(tmp_path)
    heard: list[Happened] = []
    life.stream.watch = lambda _, one: heard.append(one)
    write(life, 120)
    write(life, 12, (Level.ERROR, "no route to the bank"))
    (found,) = odd(life)
    assert found.anomaly.kind is AnomalyKind.LOG_NOVELTY
    assert found.anomaly.subject.service == "checkout"
    assert found.anomaly.lines[0].text == "no route to the bank"
    labels = dict(found.series[found.anomaly.peak.series].labels)
    assert (labels["level"], labels["service"]) == ("error", "checkout")
    assert heard[0].anomaly.id == found.anomaly.id
    life.close()


def test_it_is_told_once_whoever_dies(tmp_path: Path) -> None:
    """A restart is no second alarm, and forgets nothing of what is usual."""
    whole = begun(tmp_path / "whole")
    killed = begun(tmp_path / "killed")
    for nth in range(44):
        news = ((Level.ERROR, "no route to the bank"),) if nth > 36 else ()
        for life in (whole, killed):
            write(life, 3, *news)
        if nth % 7 == 0:
            killed = begun(tmp_path / "killed", killed)
        if nth == 20:
            killed.close()
            killed = begun(tmp_path / "killed", killed)
    assert odd(killed) == odd(whole) != []
    for life in (whole, killed):
        life.close()


def test_what_a_person_calls_normal_is_not_told_again(tmp_path: Path) -> None:
    """An alarm that was answered stays answered, also over a restart."""
    life = begun(tmp_path)
    write(life, 120)
    write(life, 12, (Level.ERROR, "no route to the bank"))
    (found,) = odd(life)
    told = Feedback(
        anomaly=found.anomaly.id,
        judged=Judged.NORMAL,
        at=round(1000 * life.clock.now),
        series=tuple(one.series for one in found.anomaly.contributions),
        surprise=tuple(one.surprise for one in found.anomaly.contributions),
        named=tuple(found.series[one.series] for one in found.anomaly.contributions),
    )
    tunings = life.stream.say("default", told, is_of_lines=True).result(30)
    assert [one.normal for one in tunings] == [1]
    (closed,) = odd(life)
    assert closed.anomaly.state is AnomalyState.CLOSED
    life = begun(tmp_path, life)
    write(life, 12, (Level.ERROR, "no route to the bank"))
    assert len(odd(life)) == 1
    life.close()


def test_a_stack_trace_is_the_same_error_wherever_it_was_called_from(tmp_path: Path) -> None:
    """Of one cause with a hundred callers there is one line in the report."""
    life = begun(tmp_path)
    write(life, 120)
    for n in range(6):
        write(life, 2, (Level.ERROR, TRACE.format(n=n)))
        if n == 2:
            life = begun(tmp_path, life)
    (found,) = odd(life)
    assert found.anomaly.members == 1
    life.close()


def test_a_new_error_is_told_with_the_traces_that_its_lines_had(tmp_path: Path) -> None:
    """The request that failed is one step away, also after a restart."""
    life = begun(tmp_path)
    write(life, 120)
    for nth in range(12):
        life.clock.now += 60
        made = lines([(Level.ERROR, "no route to the bank")], at=life.clock.now)
        ids = np.frombuffer((nth + 1).to_bytes(16, "big"), np.uint8).reshape(1, 16)
        assert life.flow.put("default", replace(made, trace=ids))
        if nth == 5:
            assert life.stream.drain(60)
            life.close()
            life = begun(tmp_path, life)
    kinds = {one.anomaly.kind: one for one in odd(life)}
    found = kinds[AnomalyKind.LOG_NOVELTY]
    assert found.anomaly.lines[0].traces == tuple(f"{n:032x}" for n in (1, 2, 3))
    life.close()
