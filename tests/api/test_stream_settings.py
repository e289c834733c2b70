"""What is said of the stream in the configuration, down to what its models go by."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from api.stream_settings import StreamSection, WindowSection
from detector.stream.anomaly import Subject
from detector.stream.settings import StreamSettings
from detector.stream.subject import Owners
from models.baseline.calendar import local_of
from pipelines.flows.stream_operators import Operators

ANY = Subject(service="postgres", namespace="", cluster="", metric="queue")
NIGHT = {"name": "backup", "start": "2026-10-01T04:00:00", "end": "2026-10-01T05:00:00"}


def unix(*told: int) -> int:
    """A moment by the clock of UTC, in milliseconds."""
    return int(datetime(*told, tzinfo=UTC).timestamp()) * 1000  # type: ignore[misc, arg-type]


def test_the_clock_and_the_days_off_of_a_place_reach_the_models() -> None:
    """A setting that nothing reads leaves every morning of summer an hour off."""
    told = {"zone": "Europe/Berlin", "holidays": ["2026-12-25", "2026-12-26"]}
    section = StreamSection.model_validate(told)
    settings = StreamSettings(calendar=section.calendar())
    models = Operators(owners=Owners(()), settings=settings).models()
    assert local_of(unix(2026, 7, 1), models.calendar) == unix(2026, 7, 1, 2)
    days = [(date(2026, 12, day) - date(1970, 1, 1)).days for day in (25, 26)]
    assert models.calendar.holidays.tolist() == days


def test_the_holidays_of_a_country_are_added_to_those_that_are_named() -> None:
    """The day of the firm's outing would replace Christmas, or Christmas the outing."""
    told = {"country": "DE-BY", "holidays": ["2026-07-17", "2026-12-25"]}
    calendar = StreamSection.model_validate(told).calendar()
    asked = [date(2026, 7, 17), date(2026, 12, 25), date(2027, 1, 6), date(2027, 1, 7)]
    found = [(day - date(1970, 1, 1)).days in calendar.holidays for day in asked]
    assert found == [True, True, True, False]


def test_a_window_of_a_zone_comes_back_by_its_clock() -> None:
    """The backup of four o'clock would wake somebody from November on."""
    section = WindowSection.model_validate({**NIGHT, "zone": "Europe/Berlin", "every_s": 86_400})
    window = section.native()
    assert window.covers(ANY, unix(2026, 10, 24, 2, 30))
    assert not window.covers(ANY, unix(2026, 10, 26, 2, 30))
    assert window.covers(ANY, unix(2026, 10, 26, 3, 30))


def test_a_window_without_a_zone_is_of_the_moments_that_it_names() -> None:
    """What was configured before would move by hours."""
    told = {**NIGHT, "start": "2026-10-01T04:00:00Z", "end": "2026-10-01T07:00:00+02:00"}
    window = WindowSection.model_validate(told).native()
    assert (window.start, window.end) == (unix(2026, 10, 1, 4), unix(2026, 10, 1, 5))


@pytest.mark.parametrize(
    ("model", "told", "words"),
    [
        (WindowSection, NIGHT, "need a time zone"),
        (WindowSection, {**NIGHT, "zone": "Europe/Atlantis"}, "is not known"),
        (StreamSection, {"zone": "Europe/Atlantis"}, "is not known"),
        (StreamSection, {"holidays": ["soon"]}, "valid date"),
        (StreamSection, {"country": "UK"}, r"is it GB \(UnitedKingdom\)"),
        (StreamSection, {"country": "DE-Bayren", "zone": "Europe/Berlin"}, "is it DE-BY"),
    ],
)
def test_what_no_clock_is_of_is_refused_at_the_start(
    model: type[StreamSection] | type[WindowSection], told: dict[str, object], words: str
) -> None:
    """A typing error would be found out in the night in which it matters."""
    with pytest.raises(ValidationError, match=words):
        model.model_validate(told)
