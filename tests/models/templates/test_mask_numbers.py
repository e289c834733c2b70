"""Numbers, times and dates: whatever convention they are written in, they are parameters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.templates.miner import Miner
from tests.models.templates.lines import texts
from tests.profiles import HEAVY

NUMBERS = [
    "0",
    "5",
    "-5",
    "+5",
    "5.25",
    "-5.25",
    ".5",
    "1,234,567",
    "1,234.56",
    "1.234,56",
    "1_000_000",
    "1234567890123456789012",
    "50%",
    "99.9%",
    "-0.5%",
    "$5.00",
    "3/5",
    "5-10",
    "1.2.3",
    "1e-05",
    "-5.25e-10",
    "1.5E+10",
    "1.0E10",
    "+2.5e3",
    "1e+06",
]
MEASURED = [
    "12ms",
    "12 ms",
    "1.5s",
    "1.5 s",
    "900ns",
    "12us",
    "12µs",
    "12μs",
    "12.5 µs",
    "0.7 μs",
    "3 seconds",
    "1 second",
    "5 min",
    "2 hours",
    "7 days",
    "1m30.5s",
    "1h2m3s",
    "2h0m1s",
    "512MB",
    "512 MB",
    "512MiB",
    "1.2 GiB",
    "900kB",
    "64 KB",
    "17 bytes",
    "1 byte",
    "10MB/s",
    "2.4 GHz",
    "18846 bytes (18.4 KB)",
    "<1 sec",
    ">5 s",
]
TIMES = [
    "03:16:02",
    "3:16",
    "03:16:02.123",
    "03:16:02,123456",
    "2026-11-27T03:16Z",
    "2026-11-27T03:16:02Z",
    "2026-11-27T03:16:02.123456789Z",
    "2026-11-27T03:16:02+01:00",
    "2026-11-27T03:16:02.123+0100",
    "2026-11-27T03:16:02,123",
]
DATES = [
    "Nov 27 03:16:02",
    "Nov  7 03:16:02",
    "Nov 27",
    "Nov 27 2026",
    "Fri Nov 27 03:16:02 2026",
    "Fri Nov  7 03:16:02.123 2026",
]
# Two values or more next to each other, as they are told one by one.
COMPOUND = [
    ("2026-11-27 03:16:02", "<num> <time>"),
    ("2026-11-27 03:16:02,123", "<num> <time>"),
    ("2026/11/27 03:16:02", "<num> <time>"),
    ("27.11.2026 03:16", "<num> <time>"),
    ("11/27/2026 3:16:02 PM", "<num> <time> PM"),
    ("2026-11-27 03:16:02.123 UTC", "<num> <time> UTC"),
    ("[27/Nov/2026:03:16:02 +0100]", "[<path> <num>]"),
    ("Fri, 27 Nov 2026 03:16:02 GMT", "<date>, <num> <date> GMT"),
    ("Fri Nov 27 03:16:02 UTC 2026", "<date> UTC <num>"),
    ("5 of 10", "<num> of <num>"),
    ("5/10 (50%)", "<num> (<num>)"),
    ("5x3", "<id>"),
    ("5..10", "<num>"),
    ("[5]", "[<num>]"),
    ("5, 6 and 7", "<num> and <num>"),
    ("5;6", "<num>;<num>"),
    ("12 ms (was 13 ms)", "<num> (was <num>)"),
    ("12 (ms)", "<num> (ms)"),
    ("12 mss", "<num> mss"),
    ("12 µsx", "<num> µsx"),
]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_is_a_number_in_any_notation(number: str) -> None:
    """A float that grew an exponent overnight is no new kind of line."""
    assert texts(Miner(), [f"loss is {number} now"]) == ["loss is <num> now"]


@pytest.mark.parametrize("quantity", MEASURED)
def test_a_quantity_is_a_number_whatever_its_unit(quantity: str) -> None:
    """Programs choose the unit by the size of a value: a fast request and a slow one are alike."""
    assert texts(Miner(), [f"done after {quantity} today"]) == ["done after <num> today"]


@pytest.mark.parametrize("time", TIMES)
def test_a_time_is_a_parameter(time: str) -> None:
    """A stamp in the middle of a message would make each line a kind of its own."""
    assert texts(Miner(), [f"next run at {time} or later"]) == ["next run at <time> or later"]


@pytest.mark.parametrize("date", DATES)
def test_a_date_is_one_parameter(date: str) -> None:
    """Names of months and days are no words where a date follows."""
    assert texts(Miner(), [f"last seen {date} by peer"]) == ["last seen <date> by peer"]


@pytest.mark.parametrize(("written", "shown"), COMPOUND)
def test_values_beside_each_other_keep_their_marks(written: str, shown: str) -> None:
    """What is between two values is what tells a person which of them is which."""
    assert texts(Miner(), [f"value {written} end"]) == [f"value {shown} end"]


@pytest.mark.parametrize("word", ["Mon", "May", "Sat", "March", "Sunday", "Nov"])
def test_a_day_or_month_without_a_date_is_a_word(word: str) -> None:
    """`Sat` may be an abbreviation, and `May` is a verb."""
    assert texts(Miner(), [f"plan {word} be late"]) == [f"plan {word} be late"]


@pytest.mark.parametrize("word", ["e", "ms", "xeon", "NaN", "inf", "µs"])
def test_letters_of_units_alone_are_words(word: str) -> None:
    """Only behind a number do they count something."""
    assert texts(Miner(), [f"the {word} of it"]) == [f"the {word} of it"]


@pytest.mark.parametrize("token", ["1e5", "4e10", "7e12abcd", "e5", "1.5e5.1", "v1.5e5"])
def test_what_only_looks_like_an_exponent_is_an_id(token: str) -> None:
    """Hashes are cut to a few digits, and `4e10` is as likely one of these as a number."""
    assert texts(Miner(), [f"commit {token} was built"]) == ["commit <id> was built"]


def test_durations_of_go_are_one_kind_of_line() -> None:
    """The unit changes with the size: a request of 900 µs must not be counted apart."""
    durations = ("1.5s", "900ms", "12.3µs", "450ns", "1m3.5s", "2h0m1s", "0s")
    found = set(texts(Miner(), [f"handled in {took} by worker" for took in durations]))
    assert found == {"handled in <num> by worker"}


@HEAVY
@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_of_python_is_a_number_or_an_id_of_digits(number: float) -> None:
    """`repr` writes an exponent with a sign, or with a dot: both are seen."""
    assert texts(Miner(), [f"loss is {number!r} now"]) == ["loss is <num> now"]


@HEAVY
@given(number=st.integers(), unit=st.sampled_from(["", "ms", " ms", "%", " bytes", "µs"]))
def test_every_integer_with_a_unit_is_a_number(number: int, unit: str) -> None:
    """No size of a value makes a template of its own."""
    assert texts(Miner(), [f"left {number}{unit} in all"]) == ["left <num> in all"]


@HEAVY
@given(moment=st.datetimes())
def test_every_moment_is_a_time(moment: object) -> None:
    """Midnight, a leap day, no fraction: whatever `isoformat` leaves out."""
    stamp = str(moment).replace(" ", "T")
    assert texts(Miner(), [f"due at {stamp} at last"]) == ["due at <time> at last"]


@HEAVY
@given(values=st.lists(st.integers(0, 99), min_size=1, max_size=30))
def test_lists_of_any_length_are_one_parameter(values: list[int]) -> None:
    """How many partitions a member has makes no other kind of line."""
    listed = ", ".join(str(value) for value in values)
    assert texts(Miner(), [f"assigned [{listed}] today"]) == ["assigned [<num>] today"]
