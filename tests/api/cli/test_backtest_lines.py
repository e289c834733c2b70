"""A list of past rollouts, with all the ways in which a line can be wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.cli.backtest_lines import lines_of
from detector.backtest.course import Truth
from detector.errors import InputError

GOOD = {
    "service": "checkout",
    "canary": '{pod=~"checkout-6d9f7c-.+"}',
    "started_at": "2026-11-23T14:00:00Z",
    "deadline": "2026-11-23T14:40:00Z",
}


def listed(folder: Path, *lines: object) -> Path:
    """A file of these lines; text as it is, all else as JSON."""
    file = folder / "rollouts.jsonl"
    written = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("\n".join(written) + "\n", encoding="utf-8")
    return file


def test_a_line_is_a_question_with_what_became_of_it(tmp_path: Path) -> None:
    """Truth, the harm's begin and the weights as they were told."""
    line = {
        **GOOD,
        "revision": "v2",
        "truth": "regressed",
        "effect_at": "2026-11-23T14:10:00Z",
        "weights": [
            {"at": "2026-11-23T14:20:00Z", "weight": 50},
            {"at": 1795442400, "weight": "5"},
        ],
    }
    (found,), bad = lines_of(listed(tmp_path, line))
    rollout = found.rollout(1_795_442_400.0)
    assert bad == []
    assert (rollout.truth, rollout.line, rollout.name) == (Truth.REGRESSED, 1, "checkout v2")
    assert rollout.end - rollout.start == 2400
    assert rollout.effect_at == rollout.start + 600
    assert [(one.at - rollout.start, one.weight) for one in rollout.weights] == [
        (0.0, 5.0),
        (1200.0, 50.0),
    ]


def test_the_last_moment_to_be_asked_about_is_an_end_too(tmp_path: Path) -> None:
    """A rollout that was stopped before its deadline."""
    (found,), _ = lines_of(listed(tmp_path, {**GOOD, "as_of": "2026-11-23T14:20:00Z"}))
    assert found.rollout(found.end - 1200).end == found.end


def test_empty_lines_are_let_pass(tmp_path: Path) -> None:
    """And lines keep the numbers that an editor shows."""
    found, bad = lines_of(listed(tmp_path, GOOD, "", {**GOOD, "service": "cart"}))
    assert ([line.number for line in found], bad) == ([1, 3], [])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param('{"service": ', "line 1: is not JSON: Expecting value", id="half a line"),
        pytest.param("[1]", "line 1: is no JSON object", id="no object"),
        pytest.param(
            {**GOOD, "servce": "x"},
            "line 1: servce: there is no such field; did you mean 'service'?",
            id="a slip",
        ),
        pytest.param(
            {k: v for k, v in GOOD.items() if k != "canary"},
            "line 1: canary: is missing",
            id="missing",
        ),
        pytest.param(
            {k: v for k, v in GOOD.items() if k != "deadline"},
            "line 1: deadline: this rollout never ended",
            id="never ended",
        ),
        pytest.param(
            {**GOOD, "policy": {"signals": {"latancy": {"tolerate": 0.1}}}},
            "line 1: policy.signals: no signal is called 'latancy'",
            id="unknown signal",
        ),
        pytest.param(
            {**GOOD, "policy": {"alhpa": 0.1}},
            "line 1: policy.alhpa: there is no such field; did you mean 'alpha'?",
            id="unknown key of a policy",
        ),
        pytest.param(
            {**GOOD, "policy": {"signals": {"latency": {"tolerat": 0.1}}}},
            "line 1: policy.signals.latency.tolerat: there is no such field; did you mean"
            " 'tolerate'?",
            id="unknown key of a signal",
        ),
        pytest.param({**GOOD, "truth": "fine"}, "line 1: truth: ", id="unknown truth"),
        pytest.param(
            {**GOOD, "weights": [{"at": "2026-11-23T14:00:00Z", "weight": ""}]},
            'line 1: weights: each step needs "at" and "weight"',
            id="half a step",
        ),
        pytest.param(
            {**GOOD, "deadline": "2026-11-23T13:00:00Z"},
            "line 1: deadline: ",
            id="ended before it began",
        ),
    ],
)
def test_a_bad_line_is_told_with_its_field(tmp_path: Path, line: object, words: str) -> None:
    """What is wrong, where, and what was perhaps meant."""
    good, bad = lines_of(listed(tmp_path, line))
    assert good == []
    assert any(flaw.words.startswith(words) for flaw in bad), [flaw.words for flaw in bad]


def test_one_bad_line_does_not_hide_the_others(tmp_path: Path) -> None:
    """All are told at once: nobody wants to mend two hundred lines one run at a time."""
    good, bad = lines_of(listed(tmp_path, GOOD, "{", GOOD | {"truth": "?"}))
    assert ([line.number for line in good], [flaw.line for flaw in bad]) == ([1], [2, 3])


def test_a_list_without_rollouts_is_told(tmp_path: Path) -> None:
    """An empty file is most likely the wrong one."""
    with pytest.raises(InputError, match="has no rollouts"):
        lines_of(listed(tmp_path, ""))
    with pytest.raises(InputError, match="No such file"):
        lines_of(tmp_path / "nowhere.jsonl")
