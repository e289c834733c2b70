from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.lines import Origin
from pipelines.follow.containers import unwrap
from pipelines.follow.finding import is_rotation_of
from pipelines.ingest.records.workloads import origin_of_path, workload_of

ID = "1d" * 32


@pytest.mark.parametrize(
    "path",
    [
        "/var/log/pods/shop_cart-6d9f7c8b5d-x2b4z_8f0a-11/app/0.log",
        "/var/log/pods/shop_cart-6d9f7c8b5d-x2b4z_8f0a-11/app/0.log.20240501-100000",
        f"/var/log/containers/cart-6d9f7c8b5d-x2b4z_shop_app-{ID}.log",
    ],
)
def test_paths_of_kubelets_tell_the_pod(path: str) -> None:
    """Nothing has to be asked of the cluster to know who wrote a file."""
    assert origin_of_path(path) == Origin(
        service="cart", namespace="shop", pod="cart-6d9f7c8b5d-x2b4z"
    )


def test_other_paths_tell_nothing() -> None:
    """A file of the system is no pod's."""
    assert origin_of_path("/var/log/nginx/error.log") is None


@pytest.mark.parametrize(
    ("pod", "name"),
    [
        ("cart-6d9f7c8b5d-x2b4z", "cart"),
        ("cart-api-v2-7c9f8d7b6f-z9k2x", "cart-api-v2"),
        ("db-0", "db"),
        ("node-agent-x2b4z", "node-agent"),
        ("report-28578240-x2b4z", "report"),
        ("alone", "alone"),
        ("my-worker", "my-worker"),
    ],
)
def test_pods_are_of_what_made_them(pod: str, name: str) -> None:
    """Deployments, stateful and daemon sets, jobs, and pods without any."""
    assert workload_of(pod) == name


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"2024-05-01 10:00:00 hello",
        b'{"log": 7}',
        b'{"log":"x"}',
        b"2024-05-01T10:00:00Z x F y",
    ],
)
def test_other_lines_are_not_unwrapped(line: bytes) -> None:
    """An application's own line that looks a little like it stays as it is."""
    assert unwrap(line) is None


@given(st.binary(max_size=100).filter(lambda text: b"\n" not in text))
def test_what_a_container_wrote_comes_out_as_it_was(text: bytes) -> None:
    """Blanks at its beginning are its own."""
    found = unwrap(b"2024-05-01T10:00:00.123456789+02:00 stderr F " + text)
    assert found is not None
    assert (found.text, found.stream, found.is_whole) == (text, "stderr", True)
    assert found.at == 1714550400123


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("app.log.1", True), ("app.log-20240501", True), ("app-20240501.log", True),
        ("app.log.2024-05-01", True), ("app-2.log", False), ("app2.log", False),
        ("apps.log", False), ("app.log", False), ("application.log", False),
    ],
)  # fmt: skip
def test_names_of_rotations(name: str, is_one: bool) -> None:
    """`app-2.log` is another worker's file, not an older one."""
    assert is_rotation_of(f"/logs/{name}", "/logs/app.log") is is_one
    assert not is_rotation_of(f"/other/{name}", "/logs/app.log")
