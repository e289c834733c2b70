"""Draws the scene: live in a terminal, as lines elsewhere."""

from __future__ import annotations

import asyncio
import sys
from typing import TextIO

from rich.console import Console, ConsoleRenderable, Group
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from api.demo.scene import Line, Scene, needed
from api.demo.shop import Version

__all__ = ["LiveScreen", "PlainScreen", "open_screen"]

TONES = {"good": "bold green", "bad": "bold red", "plain": ""}
REFRESH_S = 0.5
STORY_LINES = 14


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
        self._live = Live(console=console, auto_refresh=False, transient=True)

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
            self._live.update(draw(self._scene), refresh=True)
            await asyncio.sleep(REFRESH_S)


def open_screen(scene: Scene, sink: TextIO | None = None) -> LiveScreen | PlainScreen:
    """A live screen where somebody looks at one, else lines."""
    console = Console(file=sink or sys.stdout)
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveScreen(scene, console)
    return PlainScreen(scene, sink or sys.stdout)


def draw(scene: Scene) -> Panel:
    """The scene as a picture."""
    story = list(scene.lines)[-STORY_LINES:]
    parts: list[ConsoleRenderable] = [_arms(scene), _verdict(scene), Text()]
    parts += [_story_line(line) for line in story]
    if scene.page:
        parts.append(Text(f"\n{scene.page}", style="underline cyan", no_wrap=True))
    title = f"serinus demo · {escape(scene.title)} · {scene.elapsed:.0f} s"
    return Panel(Group(*parts), title=title, subtitle="Ctrl-C ends it", padding=(1, 2))


def _arms(scene: Scene) -> Table:
    table = Table(box=None, pad_edge=False, expand=True)
    for name in ("", "version", "weight", "pods", "requests/s", "errors", "mean", "restarts"):
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
        return Text(f"\n{scene.trouble}", style=TONES["bad"])
    if scene.answer is None:
        return Text("\nno verdict yet", style="dim")
    answer = scene.answer
    tone = {"pass": "good", "fail": "bad"}.get(answer.answer, "plain")
    text = Text(f"\n{answer.answer.upper()}  ", style=TONES[tone] or "bold yellow")
    text.append(f"{answer.reason.code}  ", style="bold")
    text.append(answer.reason.text + needed(answer.needs), style="default not bold")
    return text


def _story_line(line: Line) -> Text:
    return Text(f"{line.at:6.1f} s  {line.text}", style=TONES[line.tone])
