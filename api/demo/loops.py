"""The loops that read logs and spans: compiled by processes beside the demo, if they are not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

from api.compiling import is_compiled, note_compiled
from api.demo.children import Child, Children, python
from api.demo.scene import Scene
from api.demo.wire import COMPILED

__all__ = ["pass_on", "start_compilers"]

# For two processes, which take about as long: who looks at a demo waits for them.
_SHARES = (("logs",), ("spans", "metrics"))


async def start_compilers(children: Children) -> tuple[Child, ...]:
    """What compiles them; nothing where that is done."""
    if is_compiled():
        return ()
    return tuple([await _compiler(children, kinds) for kinds in _SHARES])


async def _compiler(children: Children, kinds: Sequence[str]) -> Child:
    name = f"compiler-of-{kinds[0]}"
    command = python("api.compiling", str(children.folder / name), *kinds)
    return await children.start(name, python("api.demo.tether", str(os.getpid()), *command))


async def pass_on(
    compilers: Sequence[Child], server: Child, scene: Scene, settled: asyncio.Event
) -> None:
    """Tell the server once all is compiled, else people that none of it will be read."""
    codes = await asyncio.gather(*(one.wait() for one in compilers))
    failed = [one for one, code in zip(compilers, codes, strict=True) if code]
    if not failed:
        note_compiled()
    if is_compiled():
        await server.tell(COMPILED)
        return
    scene.tell(f"logs and traces are not read: {_why(failed)}")
    settled.set()


def _why(failed: Sequence[Child]) -> str:
    if not failed:
        return "what is compiled for them cannot be kept here; NUMBA_CACHE_DIR may name a folder"
    return f"what compiles for them ended with {failed[0].code}. {failed[0].tail()}".rstrip()
