"""What kind a series is: by its name, and by metadata where that came."""

from __future__ import annotations

import pytest

from detector.stream.columns import SeriesKind
from pipelines.ingest.families import Families, Family, FamilyType

GROWS, STANDS = SeriesKind.CUMULATIVE, SeriesKind.GAUGE


@pytest.mark.parametrize(
    ("told", "family", "name", "kind"),
    [
        (None, "", "http_requests_total", GROWS),
        (None, "", "http_seconds_bucket", GROWS),
        (None, "", "memory_bytes", STANDS),
        (FamilyType.COUNTER, "requests", "requests_total", GROWS),
        (FamilyType.COUNTER, "requests_total", "requests_total", GROWS),
        (FamilyType.COUNTER, "requests", "requests_created", STANDS),
        (FamilyType.COUNTER, "errors", "errors", GROWS),
        (FamilyType.GAUGE, "pods_count", "pods_count", STANDS),
        (FamilyType.HISTOGRAM, "seconds", "seconds_sum", GROWS),
        (FamilyType.SUMMARY, "seconds", "seconds", STANDS),
        (FamilyType.SUMMARY, "seconds", "seconds_count", GROWS),
        (FamilyType.GAUGE_HISTOGRAM, "sizes", "sizes_bucket", STANDS),
        (FamilyType.UNKNOWN, "odd", "odd_total", GROWS),
    ],
)
def test_the_kind_of_a_series(
    told: FamilyType | None, family: str, name: str, kind: SeriesKind
) -> None:
    """A counter read as a gauge would rise for ever; a gauge read as a counter would be resets."""
    families = Families()
    if told is not None:
        families.learn([Family(name=family, type=told, unit="s")])
    assert families.of(name)[0] is kind


def test_only_news_is_told() -> None:
    """Metadata comes each minute; what was known before changes nothing."""
    family = Family(name="requests", type=FamilyType.COUNTER)
    families = Families()
    assert "requests_total" in families.learn([family])
    assert families.learn([family]) == []


def test_families_are_bounded() -> None:
    """Names that nobody sends samples of must not fill the memory; those known may change."""
    families = Families(most=1)
    families.learn([Family(name=name, type=FamilyType.COUNTER) for name in ("a", "b")])
    assert families.of("b")[0] is STANDS
    families.learn([Family(name="a", type=FamilyType.GAUGE)])
    assert families.of("a")[0] is STANDS
