"""A recreated service judged by what the stream knows of it, on a real Prometheus that pushes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from api.compose import open_gate
from api.ingest_settings import IngestSettings
from api.serving import serving_app
from api.settings import Settings
from api.streaming import Streaming, open_streaming
from detector.stream.columns import Columns, SeriesInfo, SeriesKind
from pipelines.ingest.columnar import packed
from tests.api.cli.served import serinus, serving
from tests.api.doors import quiet_logs
from tests.api.streaming import ALWAYS
from tests.api.test_push_real import until, writing
from tests.servers import free_port, make_blocks, running_prometheus

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(300)]

EDGES = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
CANARY, CONTROL = 'pod=~"checkout-6d9f7c-.+"', 'pod=~"checkout-5c4b8d-.+"'
COLUMNS = {"Content-Type": "application/msgpack"}
FRESH_S, KEPT_S, DAYS = 15 * 60.0, 3 * 3600.0, 14
RATE, ERRORS = 40.0, 0.004


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One series with its samples (unix seconds)."""

    labels: dict[str, str]
    times: np.ndarray
    values: np.ndarray


def pod(name: str, times: np.ndarray, errors: float, seed: int) -> Iterator[Told]:
    """What a pod exposes at some times, from its birth on."""
    rng = np.random.default_rng(seed)
    own = {"job": "checkout", "service": "checkout", "namespace": "shop", "pod": name}
    requests = rng.poisson(RATE * np.diff(times, prepend=times[0]))
    failed = rng.binomial(requests, errors)
    for code, counts in (("200", requests - failed), ("500", failed)):
        labels = {"__name__": "http_requests_total", **own, "code": code, "path": "/cart"}
        yield Told(labels=labels, times=times, values=np.cumsum(counts).astype(float))
    shares = np.diff(np.concatenate([[0.0], 1 / (1 + (np.array(EDGES) / 0.06) ** -2.2), [1.0]]))
    below = rng.multinomial(requests, shares).cumsum(axis=1).cumsum(axis=0).astype(float)
    for at, edge in enumerate((*map("{:g}".format, EDGES), "+Inf")):
        labels = {"__name__": "http_request_duration_seconds_bucket", **own, "le": edge}
        yield Told(labels=labels, times=times, values=below[:, at])


def history(now: float, *, errors: float) -> list[Told]:
    """Three pods for two weeks, seen each 15 s in the last hours; then three others of the next."""
    began = now - FRESH_S
    old = np.concatenate(
        [
            np.arange(now - DAYS * 86_400.0, now - KEPT_S, 300.0),
            np.arange(now - KEPT_S, began, 15.0),
        ]
    )
    pods = [(f"checkout-5c4b8d-{end}", old, ERRORS) for end in ("bbbbb", "ccccc", "ddddd")]
    new = np.arange(began, now, 15.0)
    pods += [(f"checkout-6d9f7c-{end}", new, errors) for end in ("bbbbb", "ccccc", "ddddd")]
    return [one for seed, told in enumerate(pods) for one in pod(*told, seed)]


def openmetrics(told: list[Told], since: float) -> str:
    """What Prometheus kept of it."""
    lines: dict[str, list[str]] = {}
    for one in told:
        inside = ",".join(f'{k}="{v}"' for k, v in one.labels.items() if k != "__name__")
        kept = one.times >= since
        name = one.labels["__name__"]
        lines.setdefault(name, []).extend(
            f"{name}{{{inside}}} {value:.10g} {at:.3f}"
            for at, value in zip(one.times[kept], one.values[kept], strict=True)
        )
    text = ["# TYPE http_requests counter", *lines["http_requests_total"]]
    text += ["# TYPE http_request_duration_seconds histogram"]
    return "\n".join([*text, *lines["http_request_duration_seconds_bucket"], "# EOF", ""])


def message(told: list[Told]) -> bytes:
    """All of it as one columnar message, in the order of time."""
    table = [
        SeriesInfo(labels=tuple(sorted(one.labels.items())), kind=SeriesKind.CUMULATIVE)
        for one in told
    ]
    ids = np.repeat(np.arange(len(told), dtype=np.int32), [len(one.times) for one in told])
    at = np.round(1000 * np.concatenate([one.times for one in told])).astype(np.int64)
    order = np.argsort(at, kind="stable")
    values = np.concatenate([one.values for one in told])
    return packed(table, Columns(series=ids[order], at=at[order], value=values[order]))


@contextmanager
def judging(folder: Path, told: list[Told], now: float) -> Iterator[tuple[str, Streaming]]:
    """Prometheus with three hours, and serinus that it pushes to, which heard two weeks."""
    quiet_logs()
    with ExitStack() as servers:
        make_blocks(openmetrics(told, now - KEPT_S), folder / "data")
        settings = Settings(
            data=folder / "serinus", ingest=IngestSettings(ahead_s=600.0, behind_s=ALWAYS)
        )
        port = free_port()
        config = writing(f"http://127.0.0.1:{port}", f"127.0.0.1:{port}")
        prometheus = servers.enter_context(running_prometheus("prometheus3", folder, config=config))
        settings = settings.model_copy(
            update={"source": settings.source.model_copy(update={"url": prometheus.url})}
        )
        streaming = open_streaming(settings)
        servers.callback(streaming.close)
        opened = open_gate(settings, baselines=streaming.baselines)
        servers.callback(opened.close)
        app = serving_app(opened, settings, on_stop=lambda: None, streaming=streaming)
        url = servers.enter_context(serving(app, port=port))
        assert streaming.wait(60), streaming.words
        yield url, streaming


def is_pushed_to(streaming: Streaming, told: list[Told]) -> bool:
    """Whether more came than the two weeks: what Prometheus scrapes and pushes by itself."""
    return streaming.stream.meters.samples > sum(len(one.times) for one in told)


def asked(client: httpx2.Client, url: str) -> dict[str, Any]:
    """The verdict; a machine that is busy is asked again, as a controller does."""
    question = {
        "service": "checkout",
        "namespace": "shop",
        "canary": CANARY,
        "control": CONTROL,
        "policy": {"name": "alone", "allow_control_exhausted": True},
    }
    verdict: dict[str, Any] = {}

    def is_told() -> bool:
        answer = client.post(f"{url}/v1/verdicts", json=question)
        assert answer.status_code in {200, 503}, answer.text
        verdict.update(answer.json())
        return bool(verdict.get("notes")) and verdict["outcome"] != "inconclusive"

    until(is_told, "a verdict")
    return verdict


@pytest.mark.parametrize(
    ("errors", "outcome"), [(ERRORS, "pass"), (0.02, "fail")], ids=["healthy", "failing"]
)
def test_a_recreated_service_is_judged_by_two_weeks_of_the_stream(
    tmp_path: Path, errors: float, outcome: str
) -> None:
    """Prometheus keeps three hours, and pushes; what people read names the stream."""
    now = time.time()
    told = history(now, errors=errors)
    with judging(tmp_path, told, now) as (url, streaming), httpx2.Client(timeout=30) as client:
        sent = client.post(f"{url}/v1/columns", content=message(told), headers=COLUMNS)
        assert sent.status_code == 204, sent.text
        until(lambda: is_pushed_to(streaming, told), "what Prometheus pushes by itself")
        assert streaming.stream.drain(60)
        verdict = asked(client, url)
        assert verdict["outcome"] == outcome, verdict
        assert "It is foretold from 14 days of the stream." in verdict["notes"][0], verdict["notes"]
        words = ("--canary", CANARY, "--control", CONTROL, "--namespace", "shop")
        shown = serinus("check", "--server", url, "--service", "checkout", *words)
        page = client.get(f"{url}/rollouts/{verdict['attempt']}")
        again = client.get(f"{url}/v1/verdicts/{verdict['id']}").json()
    assert "14 days of the stream" in " ".join(shown.stdout.split())
    assert "14 days of the stream" in page.text
    assert again["notes"] == verdict["notes"]
