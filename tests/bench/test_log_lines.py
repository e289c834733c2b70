"""What the benches of log lines rest on: the score, and lines with other parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.logs import grouping
from bench.logs.labelled import Scores, scores, sets
from bench.logs.mix import mix, shapes

ROWS = [
    ("Invalid user ann from 10.0.0.7", "E1", "Invalid user <*> from <*>"),
    ("Invalid user bob from 10.0.0.8", "E1", "Invalid user <*> from <*>"),
    ("Invalid user cy from 10.0.0.9", "E1", "Invalid user <*> from <*>"),
    ("Invalid user dora from 10.0.0.9", "E1", "Invalid user <*> from <*>"),
    ("job a1 Started, 5 left", "E2", "job <*> <*>, <*> left"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set of one system, as loghub's are laid out."""
    system = tmp_path / "Some"
    system.mkdir()
    head = "LineId,Content,EventId,EventTemplate\n"
    lines = (f'{n},"{line}",{event},"{of}"\n' for n, (line, event, of) in enumerate(ROWS))
    (system / "Some_2k.log_structured.csv").write_text(head + "".join(lines))
    return tmp_path


def test_one_stray_line_spoils_its_group() -> None:
    """A share that forgave a stray line would be another measure than the published one."""
    told = scores(["a", "a", "a", "b", "c", "c"], [1, 1, 1, 2, 2, 3])
    assert told == Scores(ga=0.5, fga=2 / 6, groups=3, labels=3)


def test_labels_alone_count_not_their_names() -> None:
    """A miner's numbers are its own."""
    assert scores(["a", "b", "a"], [7, 3, 7]).ga == 1.0


def test_a_set_without_corrected_labels_has_the_original_ones(folder: Path) -> None:
    """People bring sets of their own, with one file each."""
    (found,) = sets(folder)
    assert found.system == "Some"
    assert found.labels == found.corrected == ("E1", "E1", "E1", "E1", "E2")


def test_lines_keep_what_is_constant_and_get_other_parameters(folder: Path) -> None:
    """A mix of the same lines would measure a cache, and one of other words another system."""
    lines = [line.decode() for line in mix(shapes(folder), 20, seed=1)]
    users = {line.split()[2] for line in lines if line.startswith("Invalid user ")}
    assert len(lines) == 100
    assert len(users) > 20
    assert all(" from " in line for line in lines if line.startswith("Invalid"))
    assert all("Started" in line for line in lines if line.startswith("job"))


def test_a_line_that_its_label_does_not_fit_gets_other_digits(tmp_path: Path) -> None:
    """Some labels of the sets are wrong; their lines are lines all the same."""
    (tmp_path / "X").mkdir()
    text = "LineId,Content,EventId,EventTemplate\n1,took 12 ms,E1,gave <*> up\n"
    (tmp_path / "X" / "X_2k.log_structured.csv").write_text(text)
    (line,) = mix(shapes(tmp_path), 1)
    assert line.startswith(b"took ")
    assert line.endswith(b" ms")


def test_grouping_is_skipped_with_a_word_where_no_sets_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sets are not ours to ship: who has none learns where they are looked for."""
    assert grouping.main(["--dir", str(tmp_path)]) == 0
    assert str(tmp_path) in capsys.readouterr().out


def test_grouping_reads_any_folder_of_sets(folder: Path, tmp_path: Path) -> None:
    """The same command tells how well one's own lines are grouped."""
    out = tmp_path / "figures.json"
    grouping.main(["--dir", str(folder), "--json", str(out)])
    assert '"ga_mean": 1.0' in out.read_text()
