"""Lines as everyday software writes them, in our own words: kinds, and lines of each kind."""

from __future__ import annotations

__all__ = ["APART", "KINDS"]

_NAMES = ("cart", "stock", "mail", "search", "price", "user", "order", "image")

# By software: the template of a kind, and lines that all belong to it.
KINDS: dict[str, dict[str, list[str]]] = {
    "nginx": {
        "*<num> connect() failed (<num>: Connection refused) while connecting to upstream, "
        'client: <ip>, server: _, request: "GET <path> <id>", upstream: <str>': [
            f"*{n} connect() failed (111: Connection refused) while connecting to upstream, "
            f'client: {client}, server: _, request: "GET /{name}?id={n}&q=a+b HTTP/1.1", '
            f'upstream: "http://10.1.2.{n}:8080/{name}"'
            for n, (name, client) in enumerate(
                zip(_NAMES, ("10.0.0.7", "::1", "2001:db8::7", "10.0.0.8") * 2, strict=True)
            )
        ],
        "*<num> upstream timed out (<num>: Connection timed out) while reading response header "
        "from upstream, client: <ip>": [
            f"*{n} upstream timed out (110: Connection timed out) while reading response header "
            f"from upstream, client: 10.0.0.{n}"
            for n in range(8)
        ],
        "*<num> open() <str> failed (<num>: No such file or directory)": [
            f'*{n} open() "/usr/share/{name}.ico" failed (2: No such file or directory)'
            for n, name in enumerate(_NAMES)
        ],
        "*<num> open() <str> failed (<num>: Permission denied)": [
            f'*{n} open() "/usr/share/{name}.ico" failed (13: Permission denied)'
            for n, name in enumerate(_NAMES)
        ],
        "signal process started": ["signal process started"],
        "signal <num> (SIGHUP) received from <num>, reconfiguring": [
            f"signal 1 (SIGHUP) received from {n}, reconfiguring" for n in range(5)
        ],
    },
    "PostgreSQL": {
        "duplicate key value violates unique constraint <str>": [
            f'duplicate key value violates unique constraint "{name}_pkey"' for name in _NAMES
        ],
        "relation <str> does not exist at character <num>": [
            f'relation "{name}" does not exist at character {n}' for n, name in enumerate(_NAMES)
        ],
        "column <str> does not exist at character <num>": [
            f'column "{name}" does not exist at character {n}' for n, name in enumerate(_NAMES)
        ],
        "checkpoint complete: wrote <num> buffers (<num>); <num> WAL file(s) added; "
        "write=<num>, total=<num>": [
            f"checkpoint complete: wrote {n} buffers ({n}.2%); {n} WAL file(s) added; "
            f"write={n}.941 s, total={n} s"
            for n in range(5)
        ],
        "connection authorized: user=<*> database=shop": [
            f"connection authorized: user={name} database=shop" for name in _NAMES
        ],
        "connection received: host=<ip> port=<num>": [
            f"connection received: host={host} port=5{n}"
            for n, host in enumerate(("10.0.0.7", "::1", "fe80::1"))
        ],
        "canceling statement due to statement timeout": [
            "canceling statement due to statement timeout"
        ],
        "canceling statement due to user request": ["canceling statement due to user request"],
        "duration: <num>": [f"duration: {n}.331 ms" for n in range(5)],
    },
    "Redis": {
        "<num> changes in <num>. Saving...": ["10 changes in 300 seconds. Saving..."],
        "Background saving started by pid <num>": ["Background saving started by pid 77"],
        "Background saving terminated with success": ["Background saving terminated with success"],
        "Background saving error": ["Background saving error"],
        "Replica <ip>:<num> asks for synchronization": [
            f"Replica {host}:6379 asks for synchronization" for host in ("10.0.0.7", "10.0.0.8")
        ],
        "MASTER <-> REPLICA sync started": ["MASTER <-> REPLICA sync started"],
        "MASTER <-> REPLICA sync: Finished with success": [
            "MASTER <-> REPLICA sync: Finished with success"
        ],
    },
    "kubelet": {
        f'"SyncLoop {verb}" source=<str> pods=[<str>]': [
            f'"SyncLoop {verb}" source="api" pods=["shop/{name}-7f9c6b5d4-x2x9z"]'
            for name in _NAMES
        ]
        for verb in ("ADD", "UPDATE", "DELETE", "REMOVE")
    }
    | {
        '"Error syncing pod, skipping" err=<str> pod=<str> podUID=<str>': [
            f'"Error syncing pod, skipping" err="failed to \\"StartContainer\\" for \\"{name}\\"" '
            f'pod="shop/{name}" podUID="6d6c1f0e-5a8e-4c56-8e5b-2b8f2f6a6b3{n}"'
            for n, name in enumerate(_NAMES)
        ],
        '"Probe failed" probeType=<str> pod=<str> containerName=<str>': [
            f'"Probe failed" probeType="{kind}" pod="shop/{name}" containerName="{name}"'
            for kind in ("Liveness", "Readiness")
            for name in _NAMES
        ],
    },
    "etcd": {
        "<json>": ['{"level":"warn","msg":"slow","took":"123.4ms"}', '{"level":"warn","msg":"'],
        "apply request took too long took=<num> expected-duration=<num>": [
            f"apply request took too long took={took} expected-duration=100ms"
            for took in ("123.456789ms", "1.2s", "1m3.5s", "900µs")
        ],
    }
    | {
        f"<id> became {role} at term <num>": [
            f"8e9e05c5216{n}a became {role} at term {n}" for n in "123"
        ]
        for role in ("leader", "follower", "candidate")
    },
    "Kafka": {
        f"[Partition <id> broker=<num>] {verb} ISR from <num> to <num>": [
            f"[Partition orders-{n} broker={n}] {verb} ISR from 1,2,3 to {n}" for n in range(5)
        ]
        for verb in ("Shrinking", "Expanding")
    }
    | {
        "[Log partition=<id>, dir=<path>] Rolled new log segment at offset <num> in <num>.": [
            f"[Log partition={name}-3, dir=/var/lib/{name}] Rolled new log segment at offset {n} "
            f"in {n} ms."
            for n, name in enumerate(_NAMES)
        ],
        "[GroupCoordinator <num>]: Group <*> removed generation <num>": [
            f"[GroupCoordinator 1]: Group {name} removed generation {n}"
            for n, name in enumerate(_NAMES)
        ],
        "[GroupCoordinator <num>]: Group <*> stabilized generation <num>": [
            f"[GroupCoordinator 1]: Group {name} stabilized generation {n}"
            for n, name in enumerate(_NAMES)
        ],
    },
    "systemd": {
        f"{verb} <*> - unit of <*>.": [
            f"{verb} {name}.service - unit of {name}." for name in _NAMES
        ]
        for verb in ("Started", "Starting", "Stopped", "Stopping", "Reloading")
    }
    | {
        "<*>: Main process exited, code=exited, status=<id>": [
            f"{name}.service: Main process exited, code=exited, status={n}/FAILURE"
            for n, name in enumerate(_NAMES)
        ],
        "<*>: Scheduled restart job, restart counter is at <num>.": [
            f"{name}.service: Scheduled restart job, restart counter is at {n}."
            for n, name in enumerate(_NAMES)
        ],
        "<*>: Deactivated successfully.": [
            f"{name}.service: Deactivated successfully." for name in _NAMES
        ],
    },
    "Spring": {
        "Started <*> in <num> (process running for <num>)": [
            f"Started {name.title()}Application in {n}.211 seconds (process running for {n}.9)"
            for n, name in enumerate(_NAMES)
        ],
        "Tomcat started on port <num> (http) with context path <str>": [
            f"Tomcat started on port {port} (http) with context path '/{port}'"
            for port in (8080, 8081)
        ],
        "Bean of type [<*>] is not eligible": [
            f"Bean of type [org.example.{name.title()}] is not eligible" for name in _NAMES
        ],
    }
    | {
        f"<id> - {what}": [f"HikariPool-{n} - {what}" for n in range(5)]
        for what in ("Starting...", "Start completed.", "Shutdown initiated...")
    },
    "Django": {
        f"{what}: <path>": [f"{what}: /{name}/{n}/" for n, name in enumerate(_NAMES)]
        for what in ("Not Found", "Bad Request", "Internal Server Error")
    }
    | {
        '"GET <path> <id>" <num> <num>': [
            f'"GET /api/{name}/?page={n}&size=20 HTTP/1.1" {status} {n}'
            for n, name in enumerate(_NAMES)
            for status in (200, 500)
        ],
        '"POST <path> <id>" <num> <num>': [
            f'"POST /api/{name}/ HTTP/1.1" 201 {n}' for n, name in enumerate(_NAMES)
        ],
    },
    "Rails": {
        "Started GET <str> for <ip> at <num> <time> <num>": [
            f'Started GET "/{name}/{n}" for {host} at 2026-11-27 03:16:0{n} +0000'
            for n, (name, host) in enumerate(zip(_NAMES, ("10.0.0.7", "::1") * 4, strict=True))
        ],
        "Completed <num> OK in <num> (Views: <num> | ActiveRecord: <num>)": [
            f"Completed 200 OK in {n}ms (Views: {n}.1ms | ActiveRecord: 5.2ms)" for n in range(5)
        ],
        "Completed <num> Not Found in <num> (Views: <num> | ActiveRecord: <num>)": [
            f"Completed 404 Not Found in {n}ms (Views: {n}.1ms | ActiveRecord: 0.0ms)"
            for n in range(5)
        ],
    },
    "Node": {
        f"Error: connect {code} <ip>:<num>": [
            f"Error: connect {code} {host}:5432" for host in ("10.0.0.7", "10.0.0.8", "10.0.0.9")
        ]
        for code in ("ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH")
    }
    | {
        "GET <path> <num> <num> - <num>": [
            f"GET /{name}/{n}?a=b {status} {n}.331 ms - 812"
            for n, name in enumerate(_NAMES)
            for status in (200, 304, 500)
        ],
        "Error: ENOENT: no such file or directory, open <str>": [
            f"Error: ENOENT: no such file or directory, open '/app/{name}.json'" for name in _NAMES
        ],
    },
    "Go": {
        "http: TLS handshake error from <ip>:<num>: EOF": [
            f"http: TLS handshake error from 10.0.0.{n}:5{n}: EOF" for n in range(5)
        ],
        'level=info msg="request done" method=GET path=<path> status=<num> dur=<num>': [
            f'level=info msg="request done" method=GET path=/{name}?n=1 status=200 dur={took}'
            for name in _NAMES
            for took in ("1.2ms", "900µs", "1m0.5s")
        ],
        'level=error msg="cannot charge" error=<str> order=<id>': [
            f'level=error msg="cannot charge" error="card of {name} declined" order=A-{n}'
            for n, name in enumerate(_NAMES)
        ],
        "panic: runtime error: index out of range [<num>] with length <num>": [
            f"panic: runtime error: index out of range [{n}] with length {n}" for n in range(3)
        ],
    },
}

# Each of a table stays its own kind, however many lines of all of them there are.
APART: dict[str, tuple[str, tuple[str, ...]]] = {
    "verbs": (
        "Volume {} on node-{n}",
        ("attached", "detached", "mounted", "unmounted", "resized", "deleted", "created"),
    ),
    "doings": ("Node is {} shard {n}", ("moving", "merging", "copying", "closing", "opening")),
    "states": ("Link {} on port {n}", ("up", "down", "ready", "lost", "idle", "off", "on")),
    "outcomes": ("Backup {} after {n} s", ("success", "failure", "timeout", "abort", "error")),
    "levels": ("{} queue holds {n} items", ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")),
    "fields of levels": ("level={} lag of {n} items", ("debug", "info", "warn", "error")),
    "truths": ("leader of shard {n} is {}", ("true", "false")),
    "consent": ("peer {n} says {} to it", ("yes", "no")),
    "methods": ("{} request for item {n} came", ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD")),
    "phases": ("pod-{n} went to {}", ("Pending", "Running", "Succeeded", "Failed", "Unknown")),
    "breakers": ("breaker {n} turned {}", ("CLOSED", "OPEN", "HALF_OPEN")),
    "codes": ("dial of peer {n} got {}", ("ECONNREFUSED", "ETIMEDOUT", "EPIPE", "ENOENT")),
    "directions": ("replica {n} {} of sync", ("in", "out")),
    "permission": ("role {n} may {} it", ("read", "write", "delete", "drop")),
    "negation": ("shard {n} {} move", ("can", "cannot", "must", "never", "will")),
}
