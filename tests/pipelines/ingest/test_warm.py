"""What is compiled, and when."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from pipelines.ingest.otlp_scan import _walk
from pipelines.ingest.protobuf import field
from pipelines.ingest.protocol import Door
from pipelines.ingest.remote_write_scan import _count, _fill
from pipelines.ingest.warm import warm
from pipelines.testing.remote_write import request
from tests.pipelines.ingest.doorways import NOW_MS, Doorway


def test_doors_that_nobody_pushes_to_load_no_compiler(tmp_path: Path) -> None:
    """A gate alone would start two seconds later and hold a hundred megabytes more."""
    modules = "api.serving, pipelines.ingest.doors, pipelines.ingest.log_doors"
    modules += ", pipelines.ingest.spans.doors"
    look = f"""
import sys, {modules}
from pathlib import Path
from api.settings import Settings
from api.streaming import open_streaming
streaming = open_streaming(Settings(data=Path({str(tmp_path)!r})))
assert streaming.wait(50)
print("numba" in sys.modules)
streaming.close()
"""
    told = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.strip() == "False"


def test_all_that_messages_need_is_compiled_at_once() -> None:
    """Else the first sender of each kind waits for seconds, and gives up."""
    warm()
    loops: Any = (_count, _fill, _walk, field)
    before = [len(loop.signatures) for loop in loops]
    assert all(before)
    door = Doorway()
    door.take(Door.REMOTE_WRITE, request([({"__name__": "up"}, [(1.0, NOW_MS)])]))
    door.take(Door.OTLP, b"")
    assert [len(loop.signatures) for loop in loops] == before
