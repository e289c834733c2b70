"""The text of a scrape, as it is and as it should not be."""

from __future__ import annotations

import math
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from pipelines.sources.exposition import Sample, parse_exposition, parse_series
from pipelines.testing import exposition

names = st.text(string.ascii_letters + "_", min_size=1, max_size=8)


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@given(labels=st.dictionaries(names, st.text(min_size=1, max_size=20), max_size=4))
def test_labels_survive_writing_and_reading(labels: dict[str, str]) -> None:
    """Whatever stands in a label value: quotes, braces, commas, line breaks."""
    pairs = ",".join(f'{name}="{escaped(value)}"' for name, value in labels.items())
    (sample,) = parse_exposition(f"up{{{pairs}}} 1")
    assert parse_series(sample.series) == {"__name__": "up"} | labels


@given(value=st.floats(width=64))
def test_values_survive_to_the_bit(value: float) -> None:
    """Counters of 10^15 and latencies of 10^-9 alike."""
    (sample,) = parse_exposition(f"up {value!r}")
    assert sample.value == value or (math.isnan(value) and math.isnan(sample.value))


@pytest.mark.parametrize(
    ("line", "sample"),
    [
        pytest.param("up 1", Sample("up", 1.0, None), id="plain"),
        pytest.param("up{} 1", Sample("up{}", 1.0, None), id="empty braces"),
        pytest.param("up 1 1700000000123", Sample("up", 1.0, 1700000000.123), id="milliseconds"),
        pytest.param("up 1 1700000000.5", Sample("up", 1.0, 1700000000.5), id="seconds"),
        pytest.param("  up\t+Inf ", Sample("up", math.inf, None), id="spaces and infinity"),
        pytest.param(
            'b{le="1"} 3 # {trace_id="x"} 0.5 1.0', Sample('b{le="1"}', 3.0, None), id="exemplar"
        ),
        pytest.param(
            'up{a="} 7 # {"} 1', Sample('up{a="} 7 # {"}', 1.0, None), id="braces in a value"
        ),
        pytest.param("a:b:rate5m 2", Sample("a:b:rate5m", 2.0, None), id="recorded"),
    ],
)
def test_lines_are_read(line: str, sample: Sample) -> None:
    """The forms that targets write."""
    assert list(parse_exposition(f"# HELP x y\n\n{line}\n# EOF\n")) == [sample]


@pytest.mark.parametrize("line", ["<html>", "up", "up one", 'up{a="b} 1', "1up 1", "up 1 soon"])
def test_what_is_no_sample_is_named_by_line(line: str) -> None:
    """A login page is not an empty scrape."""
    with pytest.raises(ValueError, match="line 2 is not a sample"):
        list(parse_exposition(f"good 1\n{line}\n"))


@pytest.mark.parametrize("series", ["up{a=b}", 'up{a="b" c="d"}x', 'up{="b"}'])
def test_labels_that_cannot_be_read(series: str) -> None:
    """Half-read labels would join series that are not one."""
    with pytest.raises(ValueError, match="cannot be read"):
        parse_series(series)


def test_empty_label_values_are_absent() -> None:
    """In Prometheus an empty label is no label."""
    assert parse_series('up{a="",b="x"}') == {"__name__": "up", "b": "x"}


def test_hostile_line_takes_no_time() -> None:
    """A megabyte of quotes must not take a minute."""
    with pytest.raises(ValueError, match="not a sample"):
        list(parse_exposition('up{a="' + '\\"' * 500_000))


def test_client_library_is_read_whole() -> None:
    """What prometheus-client writes, histogram and all."""
    registry = CollectorRegistry()
    Counter("jobs", "…", ["kind"], registry=registry).labels('a"b').inc(3)
    Gauge("heat", "line\nbreak", registry=registry).set(-1.5)
    Histogram("wait_seconds", "…", buckets=(0.1, 1.0), registry=registry).observe(0.5)
    text = generate_latest(registry).decode()
    found = {sample.series: sample.value for sample in parse_exposition(text)}
    assert found['jobs_total{kind="a\\"b"}'] == 3.0
    assert found["heat"] == -1.5
    assert found['wait_seconds_bucket{le="+Inf"}'] == 1.0


def test_exposition_gives_label_sets() -> None:
    """What authors of signal packs test with."""
    assert exposition('# TYPE a counter\na{x="1"} 5\nb 2\n') == (
        {"__name__": "a", "x": "1"},
        {"__name__": "b"},
    )
