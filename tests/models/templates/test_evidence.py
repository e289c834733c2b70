"""When a place of a line becomes a parameter: how many words of which looks, and when never."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.templates import tuning
from models.templates.miner import Miner
from tests.models.templates.lines import columns, final, texts
from tests.profiles import HEAVY

WORDS = [
    *("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "islet", "jetty"),
    *("knoll", "larch", "marsh", "notch", "oasis", "poplar", "quartz", "ridge", "slate", "tundra"),
    *("umber", "valley", "willow", "xylem", "yarrow", "zephyr", "aspen", "basalt", "copse", "dune"),
]
HOSTS = [f"{word}.example" for word in WORDS]
CAPS = [word.upper() for word in WORDS]


def needed(frame: str, values: list[str]) -> int:
    """How many different values make their place a parameter; 0 where none of these do."""
    for n in range(1, len(values) + 1):
        lines = [frame.format(value) for value in values[:n]]
        if n > 1 and len(set(texts(Miner(), lines))) == 1:
            return n
    return 0


@pytest.mark.parametrize(
    ("frame", "values", "expected"),
    [
        ("sent parcel {} by slow ship", WORDS, tuning.NEEDED[-1]),
        ("sent {} over", WORDS, tuning.NEEDED[2]),
        ("sent {}", WORDS, tuning.NEEDED[1]),
        ("sent parcel {} by slow ship", HOSTS, tuning.NEEDED_NAMES[-1]),
        ("sent {} over", HOSTS, tuning.NEEDED_NAMES[2]),
        ("sent {}", HOSTS, tuning.NEEDED_NAMES[1]),
        ("sent for user {} by slow ship", WORDS, tuning.NEEDED_LED[-1]),
        ("user {} over", WORDS, tuning.NEEDED_LED[2]),
        ("user {}", WORDS, tuning.NEEDED_LED[1]),
        ("sent parcel {} by slow ship", CAPS, tuning.NEEDED_CAPITALS[-1]),
        ("sent {} over", CAPS, tuning.NEEDED_CAPITALS[2]),
        ("slot {} holds no board", list("ABCDEFGHIJ"), tuning.NEEDED_LED[-1]),
        ("{} bought one large pizza", WORDS, tuning.FIRST),
        ("sent parcel {} by slow ship", ["amber", "birch", "birch", "amber"], 0),
        ("sent parcel {} by slow ship", ["opened", "closed", "moved", "copied", "merged"], 0),
        ("sent parcel {} by slow ship", ["17", "birch.example"], 2),
        ("sent parcel {} by slow ship", ["17", "10.0.0.7"], 2),
        ("sent parcel {} by slow ship", ["17", "amber", "birch"], 3),
        ("{}", WORDS, 0),
    ],
)
def test_so_many_values_are_needed(frame: str, values: list[str], expected: int) -> None:
    """Fewer would melt kinds of lines together, more would count each user apart for longer."""
    assert needed(frame, values) == expected


def test_ids_of_digits_alone_do_not_make_a_line_another_one() -> None:
    """Of a dozen ids in hexadecimal one is all digits: it tells no more than the others."""
    lines = [
        f"task {one} of {other} moved to {word} at once"
        for one, other, word in (
            ("3fa9c1d07b", "3fa9c1d07b", WORDS[0]),
            ("1234567890", "8812c04e5f", WORDS[1]),
            ("8812c04e5f", "1234567890", WORDS[2]),
            ("1234567890", "1234567890", WORDS[3]),
            ("3fa9c1d07b", "1234567890", WORDS[4]),
        )
    ]
    assert set(texts(Miner(), lines)) == {"task <*> of <*> moved to <*> at once"}


@pytest.mark.parametrize("noun", sorted(tuning.LEADS))
def test_behind_a_noun_that_leads_to_a_name_fewer_are_needed(noun: bytes) -> None:
    """Who says `user` says that a name comes."""
    lead = noun.decode()
    frame = f"parcel for {lead} {{}} was late"
    lines = [frame.format(word) for word in WORDS[: tuning.NEEDED_LED[-1]]]
    assert set(texts(Miner(), lines)) == {f"parcel for {lead} <*> was late"}


def test_behind_a_noun_and_a_mark_a_word_is_like_any_other() -> None:
    """`role=...` is a field like others: a few values may be all that there are."""
    lines = [f"parcel for role={word} was late" for word in WORDS[: tuning.NEEDED_LED[-1]]]
    assert len(set(texts(Miner(), lines))) == len(lines)


@pytest.mark.parametrize("states", [1, 2, 3])
def test_one_word_of_a_state_in_five_keeps_a_place(states: int) -> None:
    """Among names of jobs a job named `start` is no state; among states one is."""
    told = [*WORDS[:8], "down", "failed", "ready"][: 8 + states]
    lines = [f"valve {word} of slow ship" for word in told]
    is_free = tuning.STATUS_SHARE * states < len(told)
    found = texts(Miner(), [*lines[8:], *lines[:8]])
    assert (len(set(found)) == 1) == is_free


@pytest.mark.parametrize("word", sorted(tuning.STATUS)[::6])
def test_words_of_a_state_alone_are_never_merged(word: bytes) -> None:
    """Any word of the table beside another one tells something else."""
    others = [one.decode() for one in sorted(tuning.STATUS)[1::9] if one != word][:8]
    lines = [f"valve turned {one} by crew" for one in (word.decode(), *others)]
    assert texts(Miner(), lines) == lines


@pytest.mark.parametrize("word", ["Failed", "FAILED", "failed", "Retrying", "RETRYING"])
def test_a_state_is_one_in_any_letters(word: str) -> None:
    """Some systems shout."""
    lines = [f"valve {one} by crew" for one in (word, "Parked", "Loading", "Cleaned", "Docking")]
    assert texts(Miner(), lines) == lines


def test_two_places_that_differ_at_once_need_twice_as_many() -> None:
    """Lines that differ in several words may be other sentences with some words in common."""
    pairs = list(zip(WORDS, reversed(WORDS), strict=True))
    enough = tuning.TOGETHER * tuning.NEEDED[-1]
    frame = "moved {} from north shore over to {} at night"
    few = [frame.format(*pair) for pair in pairs[: enough - 1]]
    many = [frame.format(*pair) for pair in pairs[:enough]]
    assert len(set(texts(Miner(), few))) == len(few)
    assert set(texts(Miner(), many)) == {frame.format("<*>", "<*>")}


def test_lines_with_little_in_common_are_no_family() -> None:
    """Half of the words must be the same, or nothing says which of them is a name."""
    lines = [
        f"crew {a} {b} {c}" for a, b, c in zip(WORDS[::3], WORDS[1::3], WORDS[2::3], strict=True)
    ]
    assert texts(Miner(), lines) == lines


def test_lines_of_other_marks_are_never_one() -> None:
    """What is between the words is as much of a kind as they are."""
    lines = ["sent amber: over", "sent amber, over", "sent amber over", "sent (amber) over"]
    assert len(set(texts(Miner(), lines * 20))) == len(lines)


def test_lines_of_other_lengths_are_never_one() -> None:
    """A word more says something more."""
    lines = ["sent amber over sea", "sent amber over", "sent amber", "sent"]
    assert len(set(texts(Miner(), lines * 20))) == len(lines)


def test_a_run_of_the_same_mark_is_one() -> None:
    """A line of dashes tells the same, however long it is drawn."""
    lines = ["begin ---- end", "begin ---------- end", "ready... now", "ready.... now"]
    assert len(set(texts(Miner(), lines))) == 2


def test_spaces_do_not_count() -> None:
    """Columns that are padded are the same columns."""
    lines = ["sent amber  over", "sent  amber over", " sent amber over ", "sent\tamber over"]
    assert set(texts(Miner(), lines)) == {"sent amber over"}


def test_letters_count() -> None:
    """`Error` of one library and `error` of another one are written by different code."""
    lines = ["Disk is slow", "disk is slow", "DISK is slow"]
    assert texts(Miner(), lines * 2) == lines * 2


def test_words_of_other_scripts_are_words() -> None:
    """A service that logs in another language has kinds of lines, too."""
    cities = ("Köln", "Łódź", "東京", "Москва", "Ὀδησσός", "Zürich", "Málaga")
    lines = [f"Sendung 7 nach {city} ist verspätet" for city in cities]
    assert set(texts(Miner(), lines)) == {"Sendung <num> nach <*> ist verspätet"}


def test_a_parameter_stays_one() -> None:
    """A place that is free is not bound again by a word of a state, or one that was there."""
    miner = Miner()
    texts(miner, [f"sent parcel {word} by slow ship" for word in WORDS[:6]])
    later = ["sent parcel failed by slow ship", "sent parcel 17 by slow ship"]
    assert set(texts(miner, later)) == {"sent parcel <*> by slow ship"}


def test_families_of_one_beginning_are_learned_apart() -> None:
    """Three kinds of lines that begin alike each learn their own place."""
    frames = (
        "sent parcel {} by slow ship",
        "sent parcel north at {} of day",
        "sent {} no letters yet",
    )
    lines = [frame.format(word) for word in WORDS[:12] for frame in frames]
    assert set(texts(Miner(), lines)) == {frame.format("<*>") for frame in frames}


def test_merges_are_told_in_an_order_that_can_be_followed() -> None:
    """Whoever moves counts does so pair by pair: none goes to a number that is gone by then."""
    miner = Miner()
    lines = [f"moved {a} from shore {b} at night" for a in WORDS[:9] for b in WORDS[9:18]]
    mined = miner.add(*columns(*lines))
    gone: set[int] = set()
    for old, new in mined.merged:
        assert old not in gone
        assert new not in gone
        assert old > new
        gone.add(old)
    assert not gone & set(mined.number.tolist())
    assert not gone & set(mined.fresh.tolist())
    assert miner.tally.joined == len(gone)


@HEAVY
@given(draw=st.permutations(WORDS[:12]))
def test_which_name_comes_first_does_not_matter(draw: list[str]) -> None:
    """Users come in any order."""
    lines = [f"sent parcel {word} by slow ship" for word in draw]
    assert set(texts(Miner(), lines)) == {"sent parcel <*> by slow ship"}


@HEAVY
@given(
    frames=st.lists(
        st.lists(st.sampled_from(WORDS), min_size=2, max_size=6).map(" ".join),
        min_size=1,
        max_size=30,
    )
)
def test_counts_follow_what_was_merged(frames: list[str]) -> None:
    """Lines added one at a time, moved by the pairs that are told, are those added at once."""
    one, all_ = Miner(), Miner()
    numbers = final([one.add(*columns(frame)) for frame in frames])
    assert numbers == all_.add(*columns(*frames)).number.tolist()
    for number in set(numbers):
        assert one.template(number).count == numbers.count(number)


@HEAVY
@given(
    word=st.text("abcdefgh", min_size=1, max_size=7),
    numbers=st.lists(st.integers(0, 10**6), min_size=2, max_size=20),
)
def test_numbers_alone_never_make_a_template(word: str, numbers: list[int]) -> None:
    """However many requests: one series."""
    lines = [f"{word} took {number} of {number + 1}" for number in numbers]
    assert len(set(texts(Miner(), lines))) == 1
