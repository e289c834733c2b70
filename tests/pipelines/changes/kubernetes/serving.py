"""An API server that holds to the contract of lists and watches."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from tests.pipelines.changes.kubernetes.shown import Raw

__all__ = ["TOKEN", "ApiServer", "Asked", "serving"]

TOKEN = "serinus-token"
_KNOWN = {
    "watch", "allowWatchBookmarks", "resourceVersion", "timeoutSeconds", "limit", "continue",
    "fieldSelector", "labelSelector",
}  # fmt: skip
_BARE = "application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    path: str
    query: dict[str, str]
    accept: str


@dataclass(slots=True)
class ApiServer:
    """Objects by the path of their list. Whatever is shown or hidden goes to those who watch.

    `refused` are statuses by the end of a path; `broken` is sent in place of the next events.
    `page` is how many objects a list has at most. What is older than `floor` is compacted.
    """

    url: str = ""
    version: int = 100
    floor: int = 0
    page: int = 500
    objects: dict[str, dict[str, Raw]] = field(default_factory=dict)
    history: list[tuple[int, str, Raw]] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    broken: list[bytes] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    epoch: int = 0
    is_closed: bool = False

    def show(self, path: str, raw: Raw) -> None:
        """An object is there, or is otherwise."""
        uid = raw["metadata"]["uid"]
        kind = "MODIFIED" if uid in self.objects.get(path, {}) else "ADDED"
        self._put(path, kind, raw)

    def hide(self, path: str, uid: str) -> None:
        """One is no more."""
        self._put(path, "DELETED", self.objects[path][uid])

    def replay(self, path: str, event: Raw) -> None:
        """An event of another server."""
        self._put(path, event["type"], event["object"])

    def cut(self) -> None:
        """End every watch in the middle."""
        with self.changed:
            self.epoch += 1
            self.changed.notify_all()

    def compact(self) -> None:
        """Forget what was, and end every watch: who comes back is told that it is gone."""
        self.floor = self.version
        self.cut()

    def kubeconfig(self, folder: Path, token: str = TOKEN) -> str:
        """Where it is."""
        path = folder / "kubeconfig"
        tree = {
            "clusters": [{"name": "a", "cluster": {"server": self.url}}],
            "users": [{"name": "a", "user": {"token": token}}],
            "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
            "current-context": "a",
        }
        path.write_text(json.dumps(tree), encoding="utf-8")
        return str(path)

    def watching(self, path: str) -> bool:
        """Whether somebody asked to watch this."""
        return any(one.path == path and one.query.get("watch") for one in self.asked)

    def _put(self, path: str, kind: str, raw: Raw) -> None:
        with self.changed:
            self.version += 1
            raw = {**raw, "metadata": {**raw["metadata"], "resourceVersion": str(self.version)}}
            known = self.objects.setdefault(path, {})
            if kind == "DELETED":
                known.pop(raw["metadata"]["uid"], None)
            else:
                known[raw["metadata"]["uid"]] = raw
            self.history.append((self.version, path, {"type": kind, "object": raw}))
            self.changed.notify_all()


def _status(code: int, message: str) -> Raw:
    return {"kind": "Status", "status": "Failure", "code": code, "message": message}


def _is_selected(raw: Raw, query: dict[str, str]) -> bool:
    labels, type_ = raw["metadata"].get("labels"), raw.get("type", "Opaque")
    labels = labels if isinstance(labels, dict) else {}
    return all(
        {
            "": True,
            "owner=helm": labels.get("owner") == "helm",
            "owner!=helm": labels.get("owner") != "helm",
            "type=helm.sh/release.v1": type_ == "helm.sh/release.v1",
            "type!=kubernetes.io/service-account-token": "service-account" not in type_,
        }[query.get(name, "")]
        for name in ("fieldSelector", "labelSelector")
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: ApiServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = dict(
            parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        )
        asked = Asked(parts.path, query, self.headers.get("Accept", ""))
        self.api.asked.append(asked)
        problem = self._problem(asked)
        if problem is not None:
            self._answer(problem["code"], problem)
        elif query.get("watch"):
            self._watch(asked)
        else:
            self._list(asked)

    def _problem(self, asked: Asked) -> Raw | None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _status(401, "Unauthorized")
        if set(asked.query) - _KNOWN:
            return _status(400, f"unknown parameters {sorted(asked.query)}")
        for end, code in self.api.refused.items():
            if asked.path.endswith(end):
                return _status(code, f'cannot list resource "{end}" in API group ""')
        is_secret = asked.path.endswith(("/secrets", "/configmaps"))
        bare = _BARE.format("" if asked.query.get("watch") else "List")
        if asked.accept != (bare if is_secret else "application/json"):
            return _status(406, "not acceptable")
        return None

    def _shown(self, raw: Raw, asked: Asked) -> Raw:
        return {"metadata": raw["metadata"]} if "PartialObject" in asked.accept else raw

    def _list(self, asked: Asked) -> None:
        with self.api.changed:
            found = list(self.api.objects.get(asked.path, {}).values())
            version = str(self.api.version)
        found = [self._shown(one, asked) for one in found if _is_selected(one, asked.query)]
        begin = int(asked.query.get("continue") or 0)
        end = begin + min(int(asked.query["limit"]), self.api.page)
        more = str(end) if end < len(found) else ""
        meta = {"resourceVersion": version, "continue": more}
        self._answer(200, {"kind": "List", "metadata": meta, "items": found[begin:end]})

    def _watch(self, asked: Asked) -> None:
        since, epoch = int(asked.query["resourceVersion"]), self.api.epoch
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if since < self.api.floor:
            self._chunk({"type": "ERROR", "object": _status(410, "too old resource version")})
        else:
            self._stream(asked, since, epoch)
        self.close_connection = True

    def _stream(self, asked: Asked, since: int, epoch: int) -> None:
        """Until it is cut, which is no orderly end."""
        while True:
            for line in [self.api.broken.pop() for _ in self.api.broken]:
                self._raw(line)
            news = [one for one in self.api.history if one[0] > since and one[1] == asked.path]
            for version, _path, event in news:
                since = version
                if _is_selected(event["object"], asked.query):
                    shown = self._shown(event["object"], asked)
                    self._chunk({"type": event["type"], "object": shown})
            with self.api.changed:
                if self.api.version == since or not self._has_news(asked.path, since):
                    self.api.changed.wait(5)
                if self.api.epoch != epoch or self.api.is_closed:
                    return

    def _has_news(self, path: str, since: int) -> bool:
        return any(version > since and of == path for version, of, _ in self.api.history)

    def _chunk(self, event: Raw) -> None:
        self._raw(json.dumps(event).encode() + b"\n")

    def _raw(self, line: bytes) -> None:
        try:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(line), line))
            self.wfile.flush()
        except OSError:
            self.close_connection = True

    def _answer(self, status: int, body: Raw) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[ApiServer]:
    """On a free port."""
    api = ApiServer()
    handler = type("Handler", (_Handler,), {"api": api})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.is_closed = True
        api.cut()
        server.shutdown()
        server.server_close()
