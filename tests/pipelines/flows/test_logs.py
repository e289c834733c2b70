"""Lines on their way: what was taken is counted once, whatever happens to the process."""

from __future__ import annotations

from pathlib import Path

from detector.logs.lines import Level, Origin
from detector.stream.columns import SeriesKind
from pipelines.flows.logs import LogLimits
from tests.pipelines.flows.logging import CANARY, T0, Clock, Life, lines, opened

FAILED = (Level.ERROR, "payment of order 1234 failed: card declined")
ASKED = (Level.INFO, "GET /cart took 12 ms")


def test_lines_become_templates_and_counters(tmp_path: Path) -> None:
    """The thinnest way from a door to what people and the gate see."""
    life = opened(tmp_path)
    said = [(Level.ERROR, f"payment of order {n} failed: card declined") for n in range(40)]
    assert life.flow.put("default", lines([*said, ASKED]))
    life.settle()
    kept = {one.level: one for one in life.templates()}
    assert kept[Level.ERROR].count == 40
    assert kept[Level.ERROR].text == "payment of order <num> failed: card declined"
    assert kept[Level.ERROR].sample == "payment of order 0 failed: card declined"
    assert sum(kept[Level.ERROR].days.values()) == 40
    of_template = {"template": kept[Level.ERROR].id, "pod": CANARY.pod, "version": "v2"}
    assert life.stands(level="error", **of_template) == 40
    assert life.stands(level="error", template="") == 40
    assert life.stands(level="info", template="") == 1
    life.close()


def test_a_new_counter_was_at_zero_before(tmp_path: Path) -> None:
    """The first error of a canary counts: a counter that begins at one would hide it."""
    life = opened(tmp_path)
    assert life.flow.put("default", lines([FAILED]))
    life.settle()
    from detector.series import Query
    from pipelines.sources.own import OwnSource
    from pipelines.stores.own import SqlOwn

    source = OwnSource(lambda: SqlOwn(life.database))
    (answer,) = source.read([Query("serinus_log_lines_total")], 0, life.clock.now)
    assert [one.values.tolist() for one in answer.series] == [[0, 1], [0, 1]]
    life.close()


def killed_and_opened(life: Life, folder: Path) -> Life:
    """The first life is never closed: it leaves the spool and the file, as after kill -9."""
    return opened(folder, life.clock)


def test_a_process_that_died_counts_each_line_once(tmp_path: Path) -> None:
    """Nothing that was acknowledged is lost, and nothing of it is counted twice."""
    life = opened(tmp_path)
    for nth in range(24):
        assert life.flow.put("default", lines([FAILED, ASKED, ASKED]))
        life.clock.now += 4
        if nth % 3 == 0:
            life = killed_and_opened(life, tmp_path)
        if nth % 5 == 0:
            assert life.stream.drain(60)
            life.stream.part.logs.settle(now=True)
            life = killed_and_opened(life, tmp_path)
    life.settle()
    assert sorted(life.counts().values()) == [24, 48]
    assert life.stands(level="error", template="") == 24
    assert life.stands(level="info", template="") == 48
    life.close()
    again = opened(tmp_path, life.clock)
    assert sorted(again.counts().values()) == [24, 48]
    again.close()


def test_how_far_a_source_was_read_is_kept_with_its_lines(tmp_path: Path) -> None:
    """A Loki that is pulled from is read on from there: no line twice, none never."""
    life = opened(tmp_path)
    assert life.flow.read_to("default", "loki") is None
    assert life.flow.put_read("default", lines([FAILED]), source="loki", read_to=1_790 * 10**15)
    assert life.flow.put_read("default", lines([]), source="loki", read_to=1_791 * 10**15)
    assert life.flow.read_to("default", "loki") == 1_791 * 10**15
    again = killed_and_opened(life, tmp_path)
    assert again.flow.read_to("default", "loki") == 1_791 * 10**15
    assert again.flow.read_to("other", "loki") is None
    again.settle()
    assert sum(again.counts().values()) == 1
    again.close()


def test_a_full_queue_takes_nothing(tmp_path: Path) -> None:
    """The door answers 429, and the lines are counted when they are sent again."""
    life = opened(tmp_path, room=1)
    with life.stream._still():
        assert life.flow.put("default", lines([FAILED]))
        assert not life.flow.put("default", lines([FAILED, ASKED]))
    assert life.stream.drain(60)
    assert life.flow.put("default", lines([FAILED, ASKED]))
    life.settle()
    assert sorted(life.counts().values()) == [1, 2]
    assert life.flow.meters.refused == 2
    life.close()


def test_what_the_stream_judges_are_rates_by_service(tmp_path: Path) -> None:
    """Pods come and go; how many errors a service writes is what has a history."""
    life = opened(tmp_path)
    pods = (CANARY, Origin(service="checkout", namespace="shop", pod="b", version="v1"))
    assert life.flow.put("default", lines([FAILED] * 6, origins=pods))
    life.settle()
    names = life.stream.known("default")
    found = {tuple(v for k, v in names[id].labels if k != "template") for id in range(2)}
    assert found == {("serinus_log_lines", "error", "shop", "checkout")}
    assert names[0].kind is SeriesKind.DELTA
    assert life.stream.part.logs.counts() == {"default": (4, 2)}
    life.close()


def test_templates_beyond_the_limit_are_counted_together(tmp_path: Path) -> None:
    """An id in every position must not fill the disk; how many lines there were is known still."""
    life = opened(tmp_path, limits=LogLimits(templates=3))
    words = ["ape", "bee", "cat", "dog", "eel", "fox"]
    assert life.flow.put("default", lines([(Level.WARN, f"{word} {word}ed") for word in words]))
    assert life.flow.put("default", lines([(Level.WARN, "gnu gnued"), (Level.WARN, "ape aped")]))
    life.settle()
    assert len(life.templates()) <= 1 + 6
    assert sum(life.counts().values()) == 8
    assert life.stands(level="warn", template="") == 8
    life.close()


def test_old_lines_are_templates_and_no_news(tmp_path: Path) -> None:
    """Who sends yesterday's file has no burst of errors now."""
    life = opened(tmp_path)
    assert life.flow.put("default", lines([FAILED], at=T0 / 1000 - 7200))
    life.settle()
    assert [one.last for one in life.templates()] == [T0 - 7_200_000 + 15_000]
    assert life.stands() == 0
    assert life.flow.meters.late == 1
    life.close()


def test_what_is_shown_has_no_secrets_and_moves_no_cursor(tmp_path: Path) -> None:
    """A log line is written by whoever attacks."""
    life = opened(tmp_path)
    hostile = "login \x1b[2J\x1b]0;gone\x07 password=hunter2\udcff\x00 <script>alert(1)</script>"
    assert life.flow.put("default", lines([(Level.ERROR, hostile)]))
    life.settle()
    (kept,) = life.templates()
    assert "hunter2" not in kept.sample + kept.text
    assert not set(kept.sample + kept.text) & set(map(chr, range(32)))
    life.close()


def test_tenants_are_kept_apart(tmp_path: Path) -> None:
    """One team does not see what another's services write."""
    life = opened(tmp_path)
    assert life.flow.put("other", lines([FAILED]))
    life.settle()
    assert life.templates() == ()
    assert life.stands() == 0
    life.close()


def test_time_passes_while_nothing_comes(tmp_path: Path) -> None:
    """A pod that says nothing has counters that stand still, not none."""
    life = opened(tmp_path, Clock())
    assert life.flow.put("default", lines([FAILED]))
    for _ in range(4):
        life.settle()
    assert life.stands(level="error", template="") == 1
    life.close()
