from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.house.dockerfile import (
    ROOT,
    Instruction,
    json_form,
    moved,
    parse,
    read,
    run_steps,
    stages,
)

WORDS = {
    "FROM", "LABEL", "ENV", "ARG", "RUN", "COPY", "USER", "WORKDIR", "VOLUME", "EXPOSE",
    "HEALTHCHECK", "ENTRYPOINT", "CMD", "STOPSIGNAL", "SHELL",
}  # fmt: skip


def final() -> list[Instruction]:
    return stages(read())[-1]


def only(word: str) -> Instruction:
    (found,) = (instruction for instruction in final() if instruction.word == word)
    return found


def test_every_instruction_is_known() -> None:
    """A misspelt word would only fail on the machine that builds the image."""
    assert {instruction.word for instruction in read()} <= WORDS


def test_image_is_built_in_stages() -> None:
    """Build tools do not reach the image that runs."""
    assert len(stages(read())) == 2
    assert "builder" not in " ".join(i.text for i in final())


def test_base_images_name_a_version() -> None:
    """`latest` is another image tomorrow."""
    for stage in stages(read()):
        image = stage[0].text.split()[0]
        assert re.fullmatch(r"[\w./-]+:\d[\w.-]*", image), image


def test_process_has_no_rights() -> None:
    """Numeric, so that Kubernetes' runAsNonRoot can check it, and set before the process starts."""
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", only("USER").text)
    words = [instruction.word for instruction in final()]
    assert words.index("USER") > max(i for i, word in enumerate(words) if word in {"RUN", "COPY"})


def test_health_is_checked() -> None:
    """An engine restarts what does not answer; the probe needs nothing that slim lacks."""
    options, _, command = only("HEALTHCHECK").text.partition(" CMD ")
    assert "--timeout=" in options
    assert json_form(command)[0] == "python"
    assert "/healthz" in command


@pytest.mark.parametrize("word", ["ENTRYPOINT", "CMD"])
def test_process_is_started_without_a_shell(word: str) -> None:
    """A shell in between would swallow SIGTERM."""
    assert json_form(only(word).text)


def test_ports_agree() -> None:
    """What is exposed is what is served and what is probed."""
    port = only("EXPOSE").text
    assert f":{port}/" in only("HEALTHCHECK").text
    assert port in json_form(only("CMD").text)


def test_nothing_is_added_from_elsewhere() -> None:
    """COPY takes what .dockerignore lets through; ADD would fetch and unpack."""
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for step in (i for i in stages(read())[0] if i.word == "COPY"):
        *sources, _ = step.text.split()
        assert all(f"!{source}" in allowed for source in sources), step


def test_packages_are_all_copied() -> None:
    """A package that is not copied is missing from the wheel without an error."""
    from pipelines.names import PACKAGES

    copied = {i.text.split()[0] for i in stages(read())[0] if i.word == "COPY"}
    assert set(PACKAGES) <= copied


def test_continuations_and_comments_are_read() -> None:
    """The reader joins what the engine joins."""
    (found,) = parse("# a\nRUN one \\\n  # why\n  && two\n")
    assert found == Instruction(word="RUN", text="one && two", line=2)


@pytest.mark.parametrize("source", ["RUN a \\", "FROM a\nRUN b \\\n"])
def test_open_end_is_refused(source: str) -> None:
    """A file that was cut off does not pass as a shorter one."""
    with pytest.raises(ValueError, match="without an end"):
        parse(source)


def test_step_before_from_is_refused() -> None:
    """The engine refuses it, too."""
    with pytest.raises(ValueError, match="before FROM"):
        stages(parse("RUN a"))


def test_paths_of_the_image_are_moved() -> None:
    """Trying the steps writes nothing outside the folder."""
    text = "python -m venv /opt/serinus && ls /src/x /opt/serinus-old"
    expected = "python -m venv /t/opt/serinus && ls /t/src/x /opt/serinus-old"
    assert moved(text, Path("/t")) == expected


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_steps_run_and_leave_a_command(tmp_path: Path) -> None:
    """The image's environment holds a `serinus` that starts outside the checkout."""
    run_steps(tmp_path)
    command = [str(tmp_path / "opt/serinus/bin/serinus"), "version"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
