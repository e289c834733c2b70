"""The loops that read logs and spans: compiled by a process beside the demo, where they are not."""

from __future__ import annotations

import asyncio
import os

from api.compiling import is_compiled
from api.demo.children import Child, Children, python
from api.demo.scene import Scene
from api.demo.wire import COMPILED

__all__ = ["pass_on", "start_compiler"]


async def start_compiler(children: Children) -> Child | None:
    """What compiles them; None where that is done."""
    if is_compiled():
        return None
    command = python("api.compiling", str(children.folder / "compiling"))
    return await children.start("compiler", python("api.demo.tether", str(os.getpid()), *command))


async def pass_on(compiler: Child, server: Child, scene: Scene, settled: asyncio.Event) -> None:
    """Tell the server once all is compiled, else people that none of it will be read."""
    code = await compiler.wait()
    if code == 0 and is_compiled():
        await server.tell(COMPILED)
        return
    scene.tell(f"logs and traces are not read: {_why(compiler, code)}")
    settled.set()


def _why(compiler: Child, code: int) -> str:
    if code == 0:
        return "what is compiled for them cannot be kept here; NUMBA_CACHE_DIR may name a folder"
    return f"what compiles for them ended with {code}. {compiler.tail()}".rstrip()
