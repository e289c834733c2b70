"""Lines that software writes each day stay as they are: whoever is woken has to read them."""

from __future__ import annotations

import numpy as np
import pytest

from detector.logs.redaction import redacted

# As each of these writes them; addresses and names are those kept for examples.
ORDINARY = {
    "apache": (
        '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326'
    ),
    "nginx": (
        "2026/11/27 03:16:02 [error] 31#31: *1532 connect() failed (111: Connection "
        "refused) while connecting to upstream, client: 10.0.0.9, server: _, request: "
        '"GET / HTTP/1.1", upstream: "http://10.0.1.7:8080/"'
    ),
    "haproxy": (
        "[27/Nov/2026:03:16:02.123] http-in~ app/srv1 0/0/1/12/13 200 1532 - - ---- "
        '12/11/3/1/0 0/0 "GET /x HTTP/1.1"'
    ),
    "postgres-checkpoint": (
        "2026-11-27 03:16:02.123 UTC [4711] LOG:  checkpoint complete: wrote 1532 "
        "buffers (9.4%); 0 WAL file(s) added, 0 removed, 2 recycled; write=26.957 s, sync=0.011 s"
    ),
    "postgres-login": (
        '2026-11-27 03:16:02 UTC [88] FATAL:  password authentication failed for user "app"'
    ),
    "postgres-key": (
        "2026-11-27 03:16:02 UTC [88] ERROR:  duplicate key value violates unique "
        'constraint "orders_pkey"'
    ),
    "mysql-denied": (
        "2026-11-27T03:16:02.123456Z 8 [Note] [MY-010926] [Server] Access denied for "
        "user 'app'@'10.0.0.7' (using password: YES)"
    ),
    "redis": "4711:M 27 Nov 2026 03:16:02.123 * Background saving terminated with success",
    "redis-auth": "1:S 27 Nov 2026 03:16:02.123 # NOAUTH Authentication required",
    "kafka": (
        "[2026-11-27 03:16:02,123] INFO [GroupCoordinator 1]: Member "
        "consumer-1-5f0c9a1e-8a7b-4d3e-9c51-2f1e8d7c6b5a in group orders has left "
        "(kafka.coordinator.group.GroupCoordinator)"
    ),
    "kubelet": (
        "I1127 03:16:02.123456       1 reconciler.go:224] "
        '"operationExecutor.VerifyControllerAttachedVolume started for volume" '
        'pod="shop/checkout-7d9f8b6c5d-x2x4z"'
    ),
    "kubelet-secret": (
        "E1127 03:16:02.123456    4711 kuberuntime_manager.go:1256] container start "
        'failed: CreateContainerConfigError: secret "db-credentials" not found'
    ),
    "kubelet-token": (
        "Warning  FailedMount  MountVolume.SetUp failed for volume "
        '"kube-api-access-x2x4z" : failed to fetch token: serviceaccounts "default" not found'
    ),
    "prometheus": (
        'ts=2026-11-27T03:16:02.123Z caller=main.go:773 level=info msg="Server is ready '
        'to receive web requests."'
    ),
    "tsdb": (
        "level=info ts=2026-11-27T03:16:02.123Z caller=compact.go:519 component=tsdb "
        'msg="write block" mint=1700000000000 maxt=1700007200000 '
        "ulid=01HF0Q8Y7Z9T6W3X2V1B5N4M8K duration=1.5s"
    ),
    "etcd": (
        '{"level":"info","ts":1700000000.123,"caller":"etcdserver/server.go:2571","m'
        'sg":"compacted raft log","compact-index":4711532}'
    ),
    "ecs": (
        '{"@timestamp":"2026-11-27T03:16:02.123Z","log.level":"INFO","message":"started '
        'in 4.2 seconds","ecs.version":"1.2.0"}'
    ),
    "ssh-failed": (
        "Nov 27 03:16:02 web-1 sshd[4711]: Failed password for invalid user admin from "
        "203.0.113.7 port 51532 ssh2"
    ),
    "ssh-key": (
        "Nov 27 03:16:02 web-1 sshd[4711]: Accepted publickey for deploy from 10.0.0.7 "
        "port 51532 ssh2: RSA SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8"
    ),
    "sudo": (
        "Nov 27 03:16:02 web-1 sudo: pam_unix(sudo:auth): authentication failure; "
        "logname=ann uid=1000 euid=0 tty=/dev/pts/0 ruser=ann rhost= user=ann"
    ),
    "kernel": (
        "Nov 27 03:16:02 web-1 kernel: [12345.678901] Out of memory: Killed process 4711 "
        "(java) total-vm:8388608kB, anon-rss:4194304kB"
    ),
    "systemd": "Nov 27 03:16:02 web-1 systemd[1]: session-4711.scope: Succeeded.",
    "postfix": "Nov 27 03:16:02 mx postfix/smtpd[4711]: connect from mail.example.org[203.0.113.7]",
    "spring": (
        "2026-11-27 03:16:02.123  INFO 1 --- [nio-8080-exec-1] "
        "o.s.web.servlet.DispatcherServlet : Completed initialization in 2 ms"
    ),
    "hibernate": (
        "2026-11-27 03:16:02,123 DEBUG org.hibernate.SQL - select o.id, o.token_count "
        "from orders o where o.id=?"
    ),
    "rails-started": 'Started GET "/orders/4711" for 10.0.0.7 at 2026-11-27 03:16:02 +0000',
    "rails-completed": (
        "Completed 200 OK in 12ms (Views: 3.1ms | ActiveRecord: 1.2ms | Allocations: 4711)"
    ),
    "celery": (
        "[2026-11-27 03:16:02,123: INFO/MainProcess] Task "
        "shop.tasks.send[550e8400-e29b-41d4-a716-446655440000] succeeded in 0.0123s: None"
    ),
    "uvicorn": 'INFO:     10.0.0.7:51532 - "GET /health HTTP/1.1" 200 OK',
    "gin": '[GIN] 2026/11/27 - 03:16:02 | 200 |   1.234567ms |   10.0.0.7 | GET  "/api/v1/orders"',
    "logrus": (
        'time="2026-11-27T03:16:02Z" level=warning msg="session expired" session=expired user=7'
    ),
    "envoy": (
        '[2026-11-27T03:16:02.123Z] "GET /orders HTTP/2" 503 UF,URX '
        "upstream_reset_before_response_started{remote_connection_failure} - 0 91 1532 - "
        '"-" "curl/8.4.0" "550e8400-e29b-41d4-a716-446655440000" "orders:8080" "10.0.1.7:8080"'
    ),
    "rabbitmq": (
        "=INFO REPORT==== 27-Nov-2026::03:16:02 === accepting AMQP connection <0.4711.0> "
        "(10.0.0.7:51532 -> 10.0.1.7:5672)"
    ),
    "mongodb": (
        '{"t":{"$date":"2026-11-27T03:16:02.123+00:00"},"s":"I","c":"NETWORK","id":2'
        '2943,"ctx":"listener","msg":"Connection '
        'accepted","attr":{"remote":"10.0.0.7:51532","connectionId":4711}}'
    ),
    "elasticsearch": (
        "[2026-11-27T03:16:02,123][WARN ][o.e.c.r.a.DiskThresholdMonitor] [node-1] high "
        "disk watermark [90%] exceeded on [aBcDeFgHiJkLmNoPqRsTuV][node-1] free: 4.2gb[8.1%]"
    ),
    "cassandra": (
        "INFO  [MemtableFlushWriter:12] 2026-11-27 03:16:02,123 Memtable.java:469 - "
        "Completed flushing /var/lib/cassandra/data/ks/t-5f0c9a1e8a7b4d3e9c512f1e8d7"
        "c6b5a/nb-12-big-Data.db (1.532MiB)"
    ),
    "npm": "npm WARN deprecated core-js@2.6.12: core-js@<3.23.3 is no longer maintained",
    "webpack": (
        "webpack 5.89.0 compiled successfully in 4711 ms: main.3f786850e387550fdab8.js "
        "1.5 MiB [emitted] [immutable]"
    ),
    "go-modules": "go: downloading golang.org/x/net v0.17.0-20231010155959-0123456789ab",
    "image": (
        'Pulling image "registry.example.org/shop/checkout@sha256:9f86d081884c7d659a'
        '2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"'
    ),
    "terraform": (
        "terraform: aws_instance.web: Creation complete after 32s [id=i-0123456789abcdef0]"
    ),
    "aws": "arn:aws:iam::123456789012:role/deploy assumed by vpc-0a1b2c3d4e5f60718 in eu-west-1",
    "sql-bound": "SELECT id, token FROM sessions WHERE token = $1 -- bind parameters follow",
    "sql-unchanged": "UPDATE 1 row(s); password column unchanged",
    "kafka-offset": "Key 'orders' has 3 partitions; key=orders partition=3 offset=1234567890123",
    "cache": "cache key user:4711:cart miss; cookie consent banner shown",
    "trace": "trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7 trace_flags=01",
    "traceparent": "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "lexer": "lexer: unexpected token '<' in JSON at position 0",
    "tokens": "max tokens exceeded: token limit 4096, tokens used 4711",
    "oauth": "OAuth token endpoint returned 401: invalid_client",
    "mysql-warning": (
        "mysql: [Warning] Using a password on the command line interface can be insecure."
    ),
    "mysql-prompt": "mysql -u root -p shop",
    "mysql-port": "mysql -h db -P 3306 -u app shop",
    "docker-login": "docker login succeeded",
    "session": "sshd: session opened for user ann by (uid=0)",
    "docker-run": "docker run -p 8080:80 -e MODE=prod nginx",
    "mysql-error": (
        "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: NO)"
    ),
    "payment": "payment of 12.50 EUR for order 4711-1532 captured in 312 ms",
    "version": "version 1.2.3.4567 build 20261127.1532",
    "position": "lat=52.520008 lon=13.404954 accuracy=12.5",
    "offset": "at 2026-11-27 03:16:02 +0100 (1764209762)",
    "heap": "heap 0x00007f8e4c000000 size 4294967296",
    "thread": "thread 140735268359936 waiting on 0x7fff5fbff8c0",
}


@pytest.mark.parametrize("name", ORDINARY)
def test_what_software_writes_each_day_can_be_read(name: str) -> None:
    """The line that explains the outage would be full of holes."""
    assert redacted(ORDINARY[name]) == ORDINARY[name]


@pytest.mark.parametrize("name", ORDINARY)
def test_it_can_be_read_as_a_message_inside_of_json(name: str) -> None:
    """Agents wrap what they forward: the same line would be hidden by its quotes."""
    line = ORDINARY[name].replace("\\", "\\\\").replace('"', '\\"')
    wrapped = f'{{"level":"info","msg":"{line}","n":1}}'
    assert redacted(wrapped) == wrapped


def test_a_secret_behind_an_ordinary_line_is_still_found() -> None:
    """A line that looks harmless at its start would be waved through."""
    for line in ORDINARY.values():
        assert redacted(f"{line} password=hunter2") == f"{line} password=<secret>"


@pytest.mark.parametrize("digits", [8, 9, 10, 11, 12, 13])
def test_plain_ids_of_any_length_below_a_cards_are_hardly_ever_hidden(digits: int) -> None:
    """Orders could not be looked up by what the page shows."""
    rng = np.random.default_rng(digits)
    lines = [f"order {rng.integers(10 ** (digits - 1), 10**digits)} paid" for _ in range(200)]
    hidden = [line for line in lines if redacted(line) != line]
    assert len(hidden) <= 6


@pytest.mark.parametrize("step_ms", [1, 1000, 86_400_000])
def test_unix_times_are_no_cards_and_no_phones(step_ms: int) -> None:
    """Each line with its time in milliseconds would lose it."""
    for n in range(200):
        at = 1_790_000_000_000 + n * step_ms
        line = f"at={at} ns={at}000000 s={at // 1000}"
        assert redacted(line) == line
