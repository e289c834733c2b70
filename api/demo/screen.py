"""Draws the scene: live in a terminal, as lines elsewhere."""

from __future__ import annotations

import asyncio
import sys
from typing import TextIO

from rich.console import Console, ConsoleOptions, ConsoleRenderable, Group, RenderResult
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from api.demo.scene import Line, Scene, needed
from api.demo.shop import Version

__all__ = ["LiveScreen", "Picture", "PlainScreen", "open_screen"]

TONES = {"good": "bold green", "bad": "bold red", "plain": ""}
REFRESH_S = 0.5
# Borders and their padding; one row stays free, or the terminal scrolls at each drawing.
FRAME_WIDTH, FRAME_HEIGHT = 4, 3


class PlainScreen:
    """One line per event, for logs and pipes."""

    def __init__(self, scene: Scene, sink: TextIO) -> None:
        self._sink = sink
        scene.say = self._print

    def __enter__(self) -> PlainScreen:
        return self

    def __exit__(self, *_: object) -> None:
        self._sink.flush()

    async def refresh(self) -> None:
        """Nothing moves here."""
        await asyncio.Event().wait()

    def _print(self, line: Line) -> None:
        print(f"{line.at:6.1f} s  {line.text}", file=self._sink, flush=True)


class LiveScreen:
    """A picture that is drawn anew twice a second; the whole story stays behind at the end."""

    def __init__(self, scene: Scene, console: Console) -> None:
        self._scene = scene
        self._console = console
        self._live = Live(Picture(scene), console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> LiveScreen:
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)
        for line in self._scene.lines:
            self._console.print(_story_line(line))

    async def refresh(self) -> None:
        """Draw until cancelled."""
        while True:
            self._live.refresh()
            await asyncio.sleep(REFRESH_S)


def open_screen(scene: Scene, sink: TextIO | None = None) -> LiveScreen | PlainScreen:
    """A live screen where somebody looks at one, else lines."""
    console = Console(file=sink or sys.stdout)
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveScreen(scene, console)
    return PlainScreen(scene, sink or sys.stdout)


class Picture:
    """The scene in a frame, as high as the terminal allows: old lines of the story go first."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        scene, inside = self._scene, options.update(width=options.max_width - FRAME_WIDTH)
        head: list[ConsoleRenderable] = [_arms(scene), Text(), _verdict(scene), Text()]
        foot = [Text(), Text(_address(scene), style="cyan", overflow="fold")]
        taken = sum(_height(console, part, inside) for part in (*head, *foot))
        story = self._story(console, inside, options.max_height - FRAME_HEIGHT - taken)
        yield Panel(
            Group(*head, *story, *foot),
            title=f"serinus demo · {escape(scene.title)} · {scene.elapsed:.0f} s",
            subtitle="Ctrl-C ends it",
        )

    def _story(self, console: Console, inside: ConsoleOptions, room: int) -> list[Table]:
        """The newest lines that fit into as many rows."""
        shown: list[Table] = []
        for line in reversed(self._scene.lines):
            text = _story_line(line)
            room -= _height(console, text, inside)
            if room < 0:
                break
            shown.insert(0, text)
        return shown


def _height(console: Console, part: ConsoleRenderable, options: ConsoleOptions) -> int:
    return len(console.render_lines(part, options, pad=False))


def _address(scene: Scene) -> str:
    """Where a browser shows more."""
    return scene.page or (f"{scene.base}/rollouts" if scene.base else "")


def _arms(scene: Scene) -> Table:
    table = Table(box=None, pad_edge=False, expand=True, padding=(0, 1, 0, 0))
    for name in ("", "version", "weight", "pods", "req/s", "errors", "mean", "restarts"):
        table.add_column(name, justify="left" if name in {"", "version"} else "right")
    weight = scene.weight if scene.canary else 0
    _add_arm(table, scene, "stable", scene.stable, 100 - weight)
    _add_arm(table, scene, "canary", scene.canary, weight)
    return table


def _add_arm(table: Table, scene: Scene, role: str, version: Version | None, weight: int) -> None:
    if version is None:
        table.add_row(role, "–")
        return
    rates = scene.rates(version)
    bad = "red" if rates.errors > 0.02 else ""
    table.add_row(
        role,
        version.name,
        f"{weight} %",
        f"{len(version.ready)}/{len(version.pods)}",
        f"{rates.per_s:.0f}",
        Text(f"{rates.errors:.2%}", style=bad),
        f"{rates.mean_ms:.0f} ms",
        Text(str(version.restarts), style="red" if version.restarts else ""),
    )


def _verdict(scene: Scene) -> Text:
    if scene.trouble:
        return Text(scene.trouble, style=TONES["bad"])
    if scene.answer is None:
        return Text("no verdict yet", style="dim")
    answer = scene.answer
    tone = {"pass": "good", "fail": "bad"}.get(answer.answer, "plain")
    text = Text(f"{answer.answer.upper()}  ", style=TONES[tone] or "bold yellow")
    text.append(f"{answer.reason.code}  ", style="bold")
    text.append(answer.reason.text + needed(answer.needs), style="default not bold")
    return text


def _story_line(line: Line) -> Table:
    """The time, and the text beside it however many rows it takes."""
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(width=7, justify="right", no_wrap=True)
    grid.add_column(ratio=1)
    grid.add_row(f"{line.at:.1f} s", Text(line.text, style=TONES[line.tone]))
    return grid
