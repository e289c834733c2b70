from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.blocks import Block, Command, blocks, commands, matches
from tests.docs.shell import Shell

PAGE = """
text

<!-- test: exit=3 timeout=5 -->
```console
$ serinus check \\
    --wait
inconclusive
...
$ true
```

  ```yaml
  a: 1
  ```

<!-- no test: needs a cluster -->
```python
raise SystemExit
```
"""


def test_blocks_are_found_with_their_marks() -> None:
    """A comment belongs to the block right below it, and to no other."""
    console, yaml, python = blocks(PAGE)
    assert (console.kind, console.marked) == ("console", True)
    assert (console.exits, console.timeout_s) == (frozenset({3}), 5.0)
    assert (yaml.text, yaml.marked, yaml.exempt) == ("a: 1\n", False, False)
    assert (python.exempt, python.line) == (True, 18)


def test_commands_go_with_their_output() -> None:
    """A command may span lines; what follows is what it prints."""
    first, second = commands(next(blocks(PAGE)))
    assert first == Command(text="serinus check \\\n    --wait", expected="inconclusive\n...")
    assert second == Command(text="true")


def test_bash_block_is_one_command() -> None:
    """A script is run as it stands."""
    block = Block(kind="bash", text="a\nb\n", line=1)
    assert commands(block) == [Command(text="a\nb\n")]


@pytest.mark.parametrize(
    "source",
    ["```bash\ntrue\n", "<!-- test : x -->\n```bash\n```", "<!-- test: exits=1 -->\n```bash\n```"],
    ids=["open fence", "misspelt comment", "unknown option"],
)
def test_what_cannot_be_read_is_refused(source: str) -> None:
    """A misspelt mark must not turn a test off."""
    with pytest.raises(ValueError, match="line"):
        list(blocks(source))


def test_output_before_a_command_is_refused() -> None:
    """It would be compared with nothing."""
    with pytest.raises(ValueError, match="before the first"):
        commands(Block(kind="console", text="hello\n", line=1))


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a b", "a b\n", True),
        ("a ... c", "a much b c", True),
        ("first\n...", "first\nsecond\nthird", True),
        ("a.c", "abc", False),
        ("a", "a\nb", False),
    ],
)
def test_dots_stand_for_anything(expected: str, printed: str, same: bool) -> None:
    """Ids and times differ from run to run; the rest may not."""
    assert matches(expected, printed) is same


def test_shell_keeps_its_state(tmp_path: Path) -> None:
    """A reader has one terminal, not one for each line."""
    with Shell(tmp_path) as shell:
        assert shell.run("cd / && export A=1", timeout_s=5) == (0, "")
        assert shell.run('echo "$PWD $A"; false', timeout_s=5) == (1, "/ 1")


def test_shell_stops_what_it_started(tmp_path: Path) -> None:
    """A server that a document starts does not outlive its test."""
    with Shell(tmp_path) as shell:
        _, pid = shell.run("sleep 600 & echo $!", timeout_s=5)
    stat = Path(f"/proc/{pid.strip()}/stat")
    assert not stat.exists() or stat.read_text().split()[2] == "Z"


def test_slow_command_is_given_up(tmp_path: Path) -> None:
    """A page that hangs fails; it does not hold up the run."""
    with Shell(tmp_path) as shell, pytest.raises(TimeoutError, match="sleep 600"):
        shell.run("sleep 600", timeout_s=0.2)


def test_end_of_the_shell_is_told(tmp_path: Path) -> None:
    """`exit` in a document ends the reader's terminal."""
    with Shell(tmp_path) as shell, pytest.raises(RuntimeError, match="the shell ended"):
        shell.run("echo bye; exit 1", timeout_s=5)
