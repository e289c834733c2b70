"""What only a real Prometheus, or its owner, can teach: limits, live scrapes, logins, prefixes."""

from __future__ import annotations

import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from detector.errors import ConfigError, InputError, SourceError
from detector.series import Answer
from pipelines.sources.prometheus import PrometheusSource
from pipelines.sources.settings import Auth, Budget, SourceSettings, Tls
from pipelines.testing import FaultServer, Misbehaviour
from tests.pipelines.sources.history import HISTORY, NAMES, SPAN_S, T0, openmetrics, query
from tests.servers import (
    RunningPrometheus,
    make_blocks,
    running_prometheus,
    scrape_config,
)

END = T0 + SPAN_S
TIMEOUT_S = 20.0
# bcrypt of "watch:me!", as Prometheus' web configuration wants it
PASSWORD, PASSWORD_HASH = (
    "watch:me!",
    "$2b$05$1wPKwYrRaKTE8I.JXSa9kujxP9ZJodiFB8wb9UqEZCSBmAn5bBmz.",
)


def opened(server: RunningPrometheus, **budget: float) -> PrometheusSource:
    return PrometheusSource(SourceSettings(url=server.url, budget=Budget(**budget)))  # type: ignore[arg-type]


def everything(source: PrometheusSource) -> list[Answer]:
    return list(source.read([*map(query, NAMES)], T0 - 1, END, timeout_s=TIMEOUT_S))


def same(one: list[Answer], other: list[Answer]) -> bool:
    def plain(answers: list[Answer]) -> list[dict[frozenset[tuple[str, str]], bytes]]:
        return [
            {
                frozenset(s.labels.items()): s.times.tobytes() + s.values.tobytes()
                for s in answer.series
            }
            for answer in answers
        ]

    return plain(one) == plain(other)


def soon(check: Callable[[], bool], *, within_s: float = 20.0) -> bool:
    """Poll a fact that a real server makes true in its own time."""
    give_up = time.monotonic() + within_s
    while time.monotonic() < give_up:
        if check():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.real
class TestLimits:
    """The query budget, ours and theirs."""

    def test_split_span_reads_the_same(self, prometheus: RunningPrometheus) -> None:
        """A day of history is fetched in pieces, and no sample is lost or doubled at a seam."""
        with opened(prometheus) as whole, opened(prometheus, max_span_s=437.5) as pieces:
            assert same(everything(whole), everything(pieces))
            assert pieces.cost.queries > whole.cost.queries

    def test_small_bodies_split_by_size(self, prometheus: RunningPrometheus) -> None:
        """Too large a body for our bound is asked for again in halves."""
        with opened(prometheus) as whole, opened(prometheus, max_body_bytes=8_000) as halves:
            assert same(everything(whole), everything(halves))
            assert halves.cost.queries > whole.cost.queries

    def test_split_by_what_the_server_refuses(self, prometheus: RunningPrometheus) -> None:
        """`--query.max-samples` of the owner is respected by asking for less at once."""
        folder = prometheus.data.parent.parent / f"{prometheus.data.parent.name}-few"
        make_blocks(openmetrics(), folder / "data")
        name = prometheus.data.parent.name
        limit = ("--query.max-samples=300",)
        with (
            running_prometheus(name, folder, arguments=limit) as server,
            opened(server) as few,
            opened(prometheus) as whole,
        ):
            assert same(everything(few), everything(whole))
            assert few.cost.failures > 0

    @pytest.mark.parametrize(
        ("bound", "word"), [({"max_series": 3}, "series"), ({"max_samples": 500}, "samples")]
    )
    def test_budget_refuses_before_parsing(
        self, prometheus: RunningPrometheus, bound: dict[str, float], word: str
    ) -> None:
        """A selector that matches everything is refused with what to do about it."""
        with opened(prometheus, **bound) as source, pytest.raises(SourceError) as caught:
            source.read([query("shop_requests_total")], T0, END, timeout_s=TIMEOUT_S)
        assert (caught.value.code, caught.value.retryable) == ("query_rejected", False)
        assert word in str(caught.value)
        assert "narrow shop_requests_total" in str(caught.value)

    def test_discovery_has_a_budget_too(self, prometheus: RunningPrometheus) -> None:
        """Discovery over a whole fleet is refused, not swallowed."""
        with (
            opened(prometheus, max_series=3) as source,
            pytest.raises(SourceError, match="max_series") as caught,
        ):
            source.series([query("shop_requests_total")], T0, END, timeout_s=TIMEOUT_S)
        assert caught.value.code == "query_rejected"

    def test_regex_that_does_not_parse_is_rejected(self, prometheus: RunningPrometheus) -> None:
        """Prometheus' own words are passed on."""
        with opened(prometheus) as source, pytest.raises(SourceError) as caught:
            source.read([query("shop_odd", ("pod", "=~", "("))], T0, END, timeout_s=TIMEOUT_S)
        assert caught.value.code == "query_rejected"
        assert "missing closing )" in str(caught.value)

    def test_label_name_cannot_climb_out_of_the_path(self, prometheus: RunningPrometheus) -> None:
        """The client library puts it into the URL as it is."""
        with opened(prometheus) as source, pytest.raises(InputError):
            source.label_values("../../x", [query("up")], T0, END, timeout_s=TIMEOUT_S)


@pytest.mark.real
def test_cost_and_skew_are_measured(prometheus: RunningPrometheus) -> None:
    """The owner can see what we cost; clocks that differ are seen before they matter."""
    with opened(prometheus) as source:
        everything(source)
        assert source.cost.queries == len(NAMES)
        assert source.cost.samples >= sum(series.times.size for series in HISTORY)
        assert source.cost.series == len(HISTORY)
        assert source.cost.bytes > source.cost.samples * 10
        assert source.cost.seconds > 0
        assert source.skew.seconds is not None
        assert abs(source.skew.seconds) <= source.skew.error_s + 0.01


@pytest.mark.real
def test_gzip_reads_the_same(prometheus: RunningPrometheus) -> None:
    """Over a wide network it pays to compress."""
    with (
        opened(prometheus) as plain,
        PrometheusSource(SourceSettings(url=prometheus.url, gzip=True)) as packed,
    ):
        assert same(everything(plain), everything(packed))


@pytest.mark.real
def test_path_prefix(prometheus: RunningPrometheus) -> None:
    """Behind an ingress the API is under a path."""
    name = prometheus.data.parent.name
    folder = prometheus.data.parent.parent / f"{name}-prefix"
    make_blocks(openmetrics(), folder / "data")
    arguments = ("--web.route-prefix=/tools/prometheus/",)
    ready = "/tools/prometheus/-/ready"
    with running_prometheus(name, folder, arguments=arguments, ready=ready) as server:
        url = f"{server.url}/tools/prometheus/"
        with PrometheusSource(SourceSettings(url=url)) as source:
            assert source.metrics(timeout_s=TIMEOUT_S) == set(NAMES)
            assert everything(source)[0].series


@pytest.mark.real
@pytest.mark.parametrize("name", ["prometheus2", "prometheus3"])
def test_live_scrape_has_no_stale_markers(
    name: str, tmp_path: Path, fault_server: FaultServer
) -> None:
    """A series that ends leaves a marker in the store; it must not come out as a NaN sample."""
    page = b"# TYPE jobs_total counter\njobs_total 1\n# TYPE shy gauge\nshy NaN\n"
    fault_server.behave(page)
    target = fault_server.url.removeprefix("http://")
    config = scrape_config(target, interval="100ms", labels={"pod": "a-1"})
    with (
        running_prometheus(name, tmp_path, config=config) as server,
        PrometheusSource(SourceSettings(url=server.url)) as source,
    ):

        def samples(metric: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
            now = time.time()
            (answer,) = source.read([query(metric)], now - 60, now, timeout_s=TIMEOUT_S)
            return answer.series[0].values if answer.series else np.empty(0)

        assert soon(lambda: samples("jobs_total").size > 2)
        assert source.metadata(timeout_s=TIMEOUT_S)["jobs_total"] == "counter"
        fault_server.behave(b"other 1\n")
        assert soon(lambda: samples("other").size > 2)
        jobs, shy = samples("jobs_total"), samples("shy")
        assert (jobs == 1).all()
        assert shy.size == jobs.size
        assert np.isnan(shy).all()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private authority, and a server and a client certificate that it signed."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder, timeout=60)

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=our ca",
            "-days", "2", "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    for who in ("server", "client"):
        openssl("req", *new, "-keyout", f"{who}.key", "-out", f"{who}.csr", "-subj", f"/CN={who}")
        (folder / "san").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n", encoding="utf-8")
        openssl("x509", "-req", "-in", f"{who}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", f"{who}.pem", "-days", "2",
                "-extfile", "san")  # fmt: skip
    return folder


@pytest.fixture
def secure_server(certificates: Path) -> Iterator[FaultServer]:
    """An HTTPS server with a certificate of the private authority; takes its clients' too."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates / "ca.pem")
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.verify_mode = ssl.CERT_OPTIONAL
    with FaultServer(context=context) as server:
        yield server


class TestLogin:
    """Credentials go out as they should, and never into a message."""

    def test_private_authority_basic_auth_and_client_certificate(
        self, secure_server: FaultServer, certificates: Path
    ) -> None:
        """What a Prometheus behind an internal proxy asks for."""
        tls = Tls(
            ca_file=str(certificates / "ca.pem"),
            cert_file=str(certificates / "client.pem"),
            key_file=str(certificates / "client.key"),
        )
        auth = Auth(username="serinus", password=PASSWORD)
        with PrometheusSource(SourceSettings(url=secure_server.url, tls=tls, auth=auth)) as source:
            source.read([query("up")], T0, END, timeout_s=TIMEOUT_S)
        sent = secure_server.requests[0].headers
        assert sent["authorization"] == "Basic c2VyaW51czp3YXRjaDptZSE="

    def test_unknown_authority_is_refused(self, secure_server: FaultServer) -> None:
        """A certificate of nobody we know is not asked twice whether it is real."""
        with (
            PrometheusSource(SourceSettings(url=secure_server.url)) as source,
            pytest.raises(SourceError, match="certificate") as caught,
        ):
            source.read([query("up")], T0, END, timeout_s=TIMEOUT_S)
        assert secure_server.requests == []
        assert (caught.value.code, caught.value.retryable) == ("source_unavailable", False)

    def test_insecure_is_asked_for_by_name(self, secure_server: FaultServer) -> None:
        """For a first try on a cluster with a self-made certificate."""
        settings = SourceSettings(url=secure_server.url, tls=Tls(insecure=True))
        with PrometheusSource(settings) as source:
            assert source.read([query("up")], T0, END, timeout_s=TIMEOUT_S)

    def test_missing_authority_file_is_a_configuration_error(self) -> None:
        """At start, with the name of the file."""
        with pytest.raises(ConfigError, match=r"nowhere\.pem"):
            PrometheusSource(
                SourceSettings(url="https://localhost", tls=Tls(ca_file="/nowhere.pem"))
            )

    def test_token_tenant_and_headers(self, fault_server: FaultServer, tmp_path: Path) -> None:
        """Mimir wants a tenant, proxies want what they want; a token file may be rotated."""
        file = tmp_path / "token"
        file.write_text("first\n", encoding="utf-8")
        auth = Auth(bearer_token_file=str(file), tenant="team-a", headers={"X-Route": "eu"})
        with PrometheusSource(SourceSettings(url=fault_server.url, auth=auth)) as source:
            source.read([query("up")], T0, END, timeout_s=TIMEOUT_S)
            file.write_text("second\n", encoding="utf-8")
            fault_server.behave(b'{"status":"success","data":["up"]}')
            source.metrics(timeout_s=TIMEOUT_S)
        sent = [request.headers for request in fault_server.requests]
        assert [one["authorization"] for one in sent] == ["Bearer first", "Bearer second"]
        assert {(one["x-scope-orgid"], one["x-route"]) for one in sent} == {("team-a", "eu")}

    def test_every_call_bears_the_tenant_below_the_prefix(self, fault_server: FaultServer) -> None:
        """Mimir answers 401 to a call without a tenant, and 404 to one beside `/prometheus`."""
        told = SourceSettings(url=f"{fault_server.url}/prometheus", auth=Auth(tenant="shop|cart"))
        names, lists, types = (
            b'{"status":"success","data":%s}' % data for data in (b'["up"]', b"[]", b"{}")
        )
        fault_server.behave(Misbehaviour.EMPTY, names, lists, lists, types)
        with PrometheusSource(told) as source:
            source.read([query("up")], T0, END, timeout_s=TIMEOUT_S)
            source.metrics(timeout_s=TIMEOUT_S)
            source.series([query("up")], T0, END, timeout_s=TIMEOUT_S)
            source.label_values("pod", [query("up")], T0, END, timeout_s=TIMEOUT_S)
            source.metadata(timeout_s=TIMEOUT_S)
        sent = fault_server.requests
        assert [request.path.split("?")[0] for request in sent] == [
            "/prometheus/api/v1/query",
            "/prometheus/api/v1/label/__name__/values",
            "/prometheus/api/v1/series",
            "/prometheus/api/v1/label/pod/values",
            "/prometheus/api/v1/metadata",
        ]
        assert {request.headers["x-scope-orgid"] for request in sent} == {"shop|cart"}

    def test_secrets_stay_out_of_words(self, fault_server: FaultServer) -> None:
        """Errors go into verdicts, chat and logs."""
        settings = SourceSettings(
            url=fault_server.url,
            auth=Auth(bearer_token="hunter2", headers={"X-Key": "hunter3"}),
        )
        fault_server.behave(Misbehaviour.UNAUTHORIZED)
        with PrometheusSource(settings) as source, pytest.raises(SourceError) as caught:
            source.read([query("up")], T0, END, timeout_s=TIMEOUT_S)
        assert "hunter" not in f"{caught.value}{source!r}{settings!r}{caught.value.__cause__!r}"

    def test_extra_parameters_are_sent(self, fault_server: FaultServer) -> None:
        """Thanos deduplicates when told."""
        settings = SourceSettings(url=fault_server.url, params={"dedup": "true"})
        with PrometheusSource(settings) as source:
            source.read([query("up")], T0, END, timeout_s=TIMEOUT_S)
        assert b"dedup=true" in fault_server.requests[0].body


@pytest.mark.real
@pytest.mark.parametrize("name", ["prometheus2", "prometheus3"])
def test_real_tls_and_password(name: str, tmp_path: Path, certificates: Path) -> None:
    """Prometheus' own web configuration, both ways: with the password, and without."""
    web = tmp_path / "web.yml"
    web.write_text(
        "tls_server_config:\n"
        f"  cert_file: {certificates / 'server.pem'}\n  key_file: {certificates / 'server.key'}\n"
        f"basic_auth_users:\n  serinus: {PASSWORD_HASH}\n",
        encoding="utf-8",
    )
    make_blocks(openmetrics(), tmp_path / "p" / "data")
    tls = Tls(ca_file=str(certificates / "ca.pem"))
    with running_prometheus(
        name, tmp_path / "p", arguments=(f"--web.config.file={web}",), ready=None
    ) as server:
        url = server.url.replace("http:", "https:")
        known = SourceSettings(url=url, tls=tls, auth=Auth(username="serinus", password=PASSWORD))
        with PrometheusSource(known) as source:
            assert soon(lambda: _answers(source))
        with (
            PrometheusSource(SourceSettings(url=url, tls=tls)) as unknown,
            pytest.raises(SourceError, match=r"credentials \(401\)"),
        ):
            unknown.read([query("up")], T0, END, timeout_s=TIMEOUT_S)


def _answers(source: PrometheusSource) -> bool:
    try:
        return source.metrics(timeout_s=TIMEOUT_S) == set(NAMES)
    except SourceError:
        return False
