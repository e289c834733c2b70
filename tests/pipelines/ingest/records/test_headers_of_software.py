"""Lines as well-known software writes them by default: time, level, and the message alone."""

from __future__ import annotations

import re

import pytest

from detector.logs.lines import Level
from pipelines.ingest.records.headers import split
from pipelines.ingest.records.stamps import stamp_of

NOW = 1_714_557_600_000  # 2024-05-01T10:00:00Z
AT = NOW + 1_000

# Who writes it, and in what: below it whether it tells a time, its level, and its message.
LINES = """
nginx: 2024/05/01 10:00:01 [error] 29#29: *12 connect() failed (111: Connection refused)
    AT ERROR 29#29: *12 connect() failed (111: Connection refused)
nginx: 2024/05/01 10:00:01 [emerg] 1#1: bind() to 0.0.0.0:80 failed
    AT FATAL 1#1: bind() to 0.0.0.0:80 failed
postgres: 2024-05-01 10:00:01.000 UTC [71] ERROR:  relation "orders" does not exist
    AT ERROR relation "orders" does not exist
postgres-debian: 2024-05-01 10:00:01.000 UTC [71] app@shop FATAL:  too many connections
    AT FATAL too many connections
postgres-rds: 2024-05-01 10:00:01 UTC:10.0.0.1(5432):app@shop:[71]:WARNING:  no transaction
    AT WARN no transaction
postgres-rds: 2024-05-01 10:00:01 UTC::@:[71]:LOG:  checkpoint starting: time
    AT INFO checkpoint starting: time
postgres-detail: 2024-05-01 10:00:01.000 UTC [71] STATEMENT:  select 1
    AT UNKNOWN [71] STATEMENT:  select 1
mysql: 2024-05-01T10:00:01.000000Z 0 [Warning] [MY-010068] [Server] CA is self signed.
    AT WARN [MY-010068] [Server] CA is self signed.
mysql: 2024-05-01T10:00:01.000000Z 0 [System] [MY-010931] [Server] ready for connections
    AT INFO [MY-010931] [Server] ready for connections
mariadb: 2024-05-01 10:00:01 0 [Note] InnoDB: Buffer pool(s) load completed
    AT INFO InnoDB: Buffer pool(s) load completed
redis: 1:M 01 May 2024 10:00:01.000 * Ready to accept connections tcp
    AT INFO Ready to accept connections tcp
redis: 1:M 01 May 2024 10:00:01.000 # WARNING Memory overcommit must be enabled!
    AT WARN WARNING Memory overcommit must be enabled!
redis: 7:S 01 May 2024 10:00:01.000 - Accepted 10.0.0.1:6379
    AT DEBUG Accepted 10.0.0.1:6379
kafka: [2024-05-01 10:00:01,000] ERROR Error while reading (kafka.server.LogDirFailureChannel)
    AT ERROR Error while reading (kafka.server.LogDirFailureChannel)
kafka: [2024-05-01 10:00:01,000] INFO [Controller id=1] Starting (kafka.controller.KafkaController)
    AT INFO [Controller id=1] Starting (kafka.controller.KafkaController)
logback: 10:00:01.000 [http-nio-8080-exec-1] WARN  com.example.Cart - it is slow
    AT WARN it is slow
log4j: 2024-05-01 10:00:01,000 WARN  [kafka-1] o.a.k.NetworkClient : gone
    AT WARN gone
tomcat: 01-May-2024 10:00:01.000 SEVERE [main] org.apache.catalina.Start it failed
    AT ERROR [main] org.apache.catalina.Start it failed
python: 2024-05-01 10:00:01,000 - shop.cart - WARNING - no stock
    AT WARN no stock
python: 2024-05-01 10:00:01,000 ERROR shop.cart: no stock
    AT ERROR no stock
python-basic: WARNING:shop.cart:no stock
    - WARN no stock
celery: [2024-05-01 10:00:01,000: ERROR/ForkPoolWorker-1] Task shop.pay raised unexpected
    AT ERROR Task shop.pay raised unexpected
gunicorn: [2024-05-01 10:00:01 +0000] [7] [CRITICAL] WORKER TIMEOUT (pid:9)
    AT FATAL WORKER TIMEOUT (pid:9)
klog: W0501 10:00:01.000000       1 reflector.go:424] failed to list pods
    AT WARN failed to list pods
klog: F0501 10:00:01.000000       1 main.go:7] cannot start
    AT FATAL cannot start
slog-text: time=2024-05-01T10:00:01.000Z level=ERROR source=main.go:3 msg="no stock" id=7
    AT ERROR source=main.go:3 msg="no stock" id=7
slog-default: 2024/05/01 10:00:01 ERROR no stock id=7
    AT ERROR no stock id=7
logrus: time="2024-05-01T10:00:01Z" level=warning msg="no stock"
    AT WARN msg="no stock"
zap-console: 2024-05-01T10:00:01.000Z\tERROR\tcart/cart.go:7\tno stock
    AT ERROR cart/cart.go:7\tno stock
istio: 2024-05-01T10:00:01.000000Z\terror\txdsproxy\tno upstream
    AT ERROR xdsproxy\tno upstream
envoy: [2024-05-01 10:00:01.000][1][warning][upstream] [source/x.cc:1] gone
    AT WARN [upstream] [source/x.cc:1] gone
consul: 2024-05-01T10:00:01.000Z [INFO]  agent: Synced node info
    AT INFO agent: Synced node info
rails: I, [2024-05-01T10:00:01.000000 #123]  INFO -- : Started GET "/" for 10.0.0.1
    AT INFO Started GET "/" for 10.0.0.1
ruby: E, [2024-05-01T10:00:01.000000 #123] ERROR -- shop: no stock
    AT ERROR no stock
php-fpm: [01-May-2024 10:00:01] WARNING: [pool www] child 7 exited on signal 11
    AT WARN [pool www] child 7 exited on signal 11
php: [01-May-2024 10:00:01 UTC] PHP Fatal error:  Uncaught Exception: no stock
    AT UNKNOWN PHP Fatal error:  Uncaught Exception: no stock
laravel: [2024-05-01 10:00:01] local.CRITICAL: no stock
    AT FATAL no stock
serilog: [10:00:01 ERR] no stock
    AT ERROR no stock
dotnet: fail: Shop.Cart[7] no stock
    - ERROR no stock
dotnet: dbug: Microsoft.Hosting.Lifetime[0] Hosting started
    - DEBUG Hosting started
rabbitmq: 2024-05-01 10:00:01.000 [error] <0.7.0> closing AMQP connection
    AT ERROR <0.7.0> closing AMQP connection
elixir: 10:00:01.000 [error] GenServer terminating
    AT ERROR GenServer terminating
tracing: 2024-05-01T10:00:01.000000Z  WARN shop::cart: no stock
    AT WARN shop::cart: no stock
systemd: <4>no stock
    - WARN no stock
"""
CASES = re.findall(r"^([\w-]+): (.*)\n    (AT|-) (\w+) (.*)$", LINES, re.MULTILINE)


@pytest.mark.parametrize(("who", "line", "at", "level", "text"), CASES)
def test_lines_of_software_as_it_comes(who: str, line: str, at: str, level: str, text: str) -> None:
    """Nobody has to configure a pattern for what everybody runs."""
    header = split(line, now=NOW)
    assert (header.level.name, header.text) == (level, text), who
    assert header.at == (AT if at == "AT" else None), who


def test_the_table_is_whole() -> None:
    """A case that is not matched by the table's pattern would be passed over."""
    assert len(CASES) == (len(LINES.strip().splitlines())) // 2


@pytest.mark.parametrize(
    ("line", "program", "host"),
    [
        ("May  1 10:00:01 node-1 systemd[1]: Started Session 7 of user root.", "systemd", "node-1"),
        ("May 01 10:00:01 node-1 kernel: Out of memory: Killed process 7", "kernel", "node-1"),
        ("2024-05-01T10:00:01.000000+00:00 db-2 postgres[71]: x: y", "postgres", "db-2"),
    ],
)
def test_lines_of_journals_name_who_wrote_them(line: str, program: str, host: str) -> None:
    """On a machine without Kubernetes nothing else does."""
    header = split(line, now=NOW)
    assert (header.at, header.program, header.host) == (AT, program, host)


@pytest.mark.parametrize(
    "line",
    [
        "info: nobody[home",
        "fail: [7] no category",
        "1:M 01 Foo 2024 10:00:01.000 * no month",
        "1:M 31 Feb 2024 10:00:01.000 * no day",
        "I, [2024-13-01T10:00:01.000000 #123]  INFO -- : no month",
        "99-May-2024 10:00:01.000 SEVERE no day",
        "12:M of somebody",
    ],
)
def test_what_only_looks_like_software_stays_whole(line: str) -> None:
    """A message is not cut at a day that there is not."""
    header = split(line, now=NOW)
    assert (header.at, header.level, header.text) == (None, Level.UNKNOWN, line)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-05-01T10:00:01Z x", AT),
        ("2024-05-01T10:00:01.000000001Z x", AT),
        ("2024-05-01T10:00:01,250Z x", AT + 250),
        ("2024-05-01_10:00:01 x", AT),
        ("2024/05/01 10:00:01 x", AT),
        ("2024-05-01 15:30:01 +05:30 x", AT),
        ("2024-05-01 02:00:01-0800 x", AT),
        ("[2024-05-01 10:00:01] x", AT),
        ("240501 100001 x", AT),
        ("240501 100001,25 x", AT + 250),
        ("24/05/01 10:00:01 x", AT),
        ("May  1 10:00:01 x", AT),
        ("Wed May  1 10:00:01 x", AT),
        ("May  1 10:00:01.5 x", AT + 500),
        ("10:00:01.5 x", AT + 500),
        ("[10:00:01] x", AT),
        ("01-May-2024 10:00:01 GMT x", AT),
    ],
)
def test_each_way_to_write_one_moment(text: str, at: int) -> None:
    """Lines of two programs about one incident stand side by side."""
    stamp = stamp_of(text, now=NOW)
    assert stamp is not None
    assert stamp.at == at
    assert text[stamp.end :].strip() == "x"


@pytest.mark.parametrize(("clock", "hours"), [("23:59:59", -24), ("00:00:05", 0)])
def test_a_time_of_day_is_of_the_nearest_day(clock: str, hours: int) -> None:
    """A line that was written just before midnight and read just after it is seconds old."""
    midnight = 1_714_521_600_000
    stamp = stamp_of(f"{clock} x", now=midnight + 10_000)
    assert stamp is not None
    hour, minute, second = map(int, clock.split(":"))
    expected = midnight + 1_000 * (3_600 * (hour + hours) + 60 * minute + second)
    assert stamp.at == expected
