"""Slack's Web API on a real port, as its documents have it: what they do not allow is refused."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

__all__ = ["CHANNEL", "TOKEN", "File", "Message", "Slack", "refusal", "slack", "texts_of"]

CHANNEL, TOKEN = "C0123456789", "xoxb-1-right"
_TS = re.compile(r"\d+\.\d{6}")
_ALL, _TEXT = 13_000, 4000
_KEYS = {
    "header": {"type", "text"},
    "section": {"type", "text", "fields"},
    "context": {"type", "elements"},
    "actions": {"type", "elements"},
    "button": {"type", "text", "action_id", "value", "style"},
    "static_select": {"type", "placeholder", "action_id", "options"},
    "plain_text": {"type", "text", "emoji"},
    "mrkdwn": {"type", "text", "verbatim"},
}
_FORMS = frozenset({"files.getUploadURLExternal"})
_JSON, _FORM = "application/json; charset=utf-8", "application/x-www-form-urlencoded"
_ARGUMENTS = {
    "chat.postMessage": {
        "channel", "text", "blocks", "thread_ts", "parse", "unfurl_links", "unfurl_media",
    },
    "chat.update": {"channel", "ts", "text", "blocks", "parse"},
    "files.getUploadURLExternal": {"filename", "length", "alt_txt", "snippet_type"},
    "files.completeUploadExternal": {
        "files", "channel_id", "thread_ts", "channels", "initial_comment", "blocks",
    },
}  # fmt: skip


@dataclass(slots=True)
class Message:
    """A message as it is shown now, and how often it was changed."""

    ts: str
    text: str
    blocks: list[dict[str, Any]]
    thread_ts: str | None
    updates: int = 0

    @property
    def words(self) -> str:
        """All that can be read in it."""
        return "\n".join(words for block in self.blocks for words, _ in texts_of(block))


@dataclass(slots=True)
class File:
    """An upload: how long it is to be, what came, and below which message it is shown."""

    length: int
    alt: str
    body: bytes | None = None
    thread_ts: str | None = None


@dataclass(slots=True)
class Slack:
    """A workspace with one channel; `refuse` are errors of the next calls, None for none.

    `limited` are answers of 429, each with its seconds. A call that is `lost` is done, and its
    answer never comes. An app that `may_upload` has the scope for files; `uploads` is where to.
    """

    url: str = ""
    token: str = TOKEN
    member: bool = True
    may_upload: bool = True
    uploads: str = ""
    messages: dict[str, Message] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    refuse: list[str | None] = field(default_factory=list)
    limited: list[int] = field(default_factory=list)
    lost: list[bool] = field(default_factory=list)

    @property
    def roots(self) -> list[Message]:
        """Messages in the channel itself."""
        return [one for one in self.messages.values() if one.thread_ts is None]

    def thread(self, ts: str) -> list[str]:
        """The lines below a message."""
        return [one.text for one in self.messages.values() if one.thread_ts == ts]

    def answer(self, method: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
        """What a call of a method gives."""
        error = self._forbidden(method, headers) or (self.refuse.pop(0) if self.refuse else None)
        try:
            asked = dict(parse_qsl(body.decode())) if method in _FORMS else json.loads(body)
        except ValueError:
            error, asked = error or "invalid_json", {}
        self.calls.append((method, asked))
        error = error or _refused(method, asked) or self._lost(asked)
        return {"ok": False, "error": error} if error else self._done(method, asked)

    def _forbidden(self, method: str, headers: Mapping[str, str]) -> str | None:
        if method not in _ARGUMENTS:
            return "unknown_method"
        if "authorization" not in headers:
            return "not_authed"
        if headers["authorization"] != f"Bearer {self.token}":
            return "invalid_auth"
        if headers.get("content-type") != (_FORM if method in _FORMS else _JSON):
            return "invalid_form_data"
        if method.startswith("files.") and not self.may_upload:
            return "missing_scope"
        return None if self.member else "not_in_channel"

    def _lost(self, asked: Mapping[str, Any]) -> str | None:
        """What is named and is not there."""
        if "length" in asked:
            return None
        if any(self._is_missing(file["id"]) for file in asked.get("files", ())):
            return "file_not_found"
        if asked.get("channel", asked.get("channel_id")) != CHANNEL:
            return "channel_not_found"
        if "ts" in asked and asked["ts"] not in self.messages:
            return "message_not_found"
        root = self.messages.get(asked.get("thread_ts", ""))
        if "thread_ts" in asked and (root is None or root.thread_ts is not None):
            return "thread_not_found"
        return None

    def _is_missing(self, id: str) -> bool:
        """Whether nothing was brought, or not all of it."""
        file = self.files.get(id)
        return file is None or file.body is None or len(file.body) != file.length

    def bring(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status of an upload; who brings it needs no token, and shows none."""
        file = self.files.get(path.removeprefix("/upload/v1/"))
        if file is None or "authorization" in headers or file.body is not None:
            return 400
        file.body = body
        return 200

    def _filed(self, method: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        if method == "files.getUploadURLExternal":
            id = f"F{len(self.files) + 1}"
            self.files[id] = File(length=int(asked["length"]), alt=asked.get("alt_txt", ""))
            where = self.uploads or self.url.removesuffix("/api")
            return {"ok": True, "upload_url": f"{where}/upload/v1/{id}", "file_id": id}
        for file in asked["files"]:
            self.files[file["id"]].thread_ts = asked["thread_ts"]
        return {"ok": True, "files": [{"id": file["id"]} for file in asked["files"]]}

    def _done(self, method: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        if method.startswith("files."):
            return self._filed(method, asked)
        if method == "chat.update":
            one = self.messages[asked["ts"]]
            one.text, one.blocks = asked.get("text", ""), asked.get("blocks", one.blocks)
            one.updates += 1
        else:
            ts = f"1795442400.{len(self.messages) + 1:06}"
            one = Message(
                ts, asked.get("text", ""), asked.get("blocks", []), asked.get("thread_ts")
            )
            self.messages[ts] = one
        shown = {"text": one.text, "blocks": one.blocks, "ts": one.ts}
        return {"ok": True, "channel": CHANNEL, "ts": one.ts, "message": shown}


def _refused(method: str, asked: Mapping[str, Any]) -> str | None:
    """Why a body is none of this method."""
    if method.startswith("files."):
        return _refused_file(method, asked)
    if asked.keys() - _ARGUMENTS.get(method, set()) or not asked.get("channel"):
        return "invalid_arguments"
    if method == "chat.update" and not _TS.fullmatch(str(asked.get("ts"))):
        return "invalid_arguments"
    if "thread_ts" in asked and not _TS.fullmatch(str(asked["thread_ts"])):
        return "invalid_arguments"
    return refusal(asked)


def _refused_file(method: str, asked: Mapping[str, Any]) -> str | None:
    if asked.keys() - _ARGUMENTS[method]:
        return "invalid_arguments"
    if method == "files.getUploadURLExternal":
        is_sized = str(asked.get("length", "")).isdecimal() and int(asked["length"]) > 0
        if not is_sized or not asked.get("filename"):
            return "invalid_arguments"
        return "alt_txt_too_large" if len(asked.get("alt_txt", "")) > 1000 else None
    files = asked.get("files")
    if not files or any(file.keys() - {"id", "title", "highlight_type"} for file in files):
        return "invalid_arguments"
    return None if _TS.fullmatch(str(asked.get("thread_ts"))) else "invalid_arguments"


def refusal(body: Mapping[str, Any]) -> str | None:
    """Why text and blocks of a message are refused; None for a message that is taken."""
    text, blocks = body.get("text", ""), body.get("blocks", [])
    if not text and not blocks:
        return "no_text"
    if _size(text) > _TEXT:
        return "msg_too_long"
    if len(blocks) > 50 or not all(_is_block(block) for block in blocks):
        return "invalid_blocks"
    named = [block["block_id"] for block in blocks if "block_id" in block]
    if len(named) != len(set(named)):
        return "invalid_blocks"
    return "msg_blocks_too_long" if len(json.dumps(blocks, ensure_ascii=False)) > _ALL else None


def texts_of(block: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Every text of a block with its limit."""
    match block["type"]:
        case "header":
            return [(block["text"]["text"], 150)]
        case "context":
            return [(one["text"], 3000) for one in block["elements"]]
        case "actions":
            return [(one[_label(one)]["text"], 75) for one in block["elements"]]
    fields = [(one["text"], 2000) for one in block.get("fields", ())]
    return [*([(block["text"]["text"], 3000)] if "text" in block else []), *fields]


def _label(element: Mapping[str, Any]) -> str:
    return "text" if element["type"] == "button" else "placeholder"


def _is_block(block: Mapping[str, Any]) -> bool:
    kind = block.get("type", "")
    if kind not in {"header", "section", "context", "actions"}:
        return False
    if block.keys() - _KEYS[kind] - {"block_id"} or _size(block.get("block_id", "")) > 255:
        return False
    if kind == "section" and not ("text" in block or 0 < len(block.get("fields", ())) <= 10):
        return False
    if kind == "context" and not 0 < len(block["elements"]) <= 10:
        return False
    if kind == "actions" and not _are_actions(block["elements"]):
        return False
    inner = [block["text"]] if "text" in block else []
    inner += block.get("fields", []) + (block["elements"] if kind == "context" else [])
    wanted = {"header": {"plain_text"}}.get(kind, {"plain_text", "mrkdwn"})
    are_texts = all(one["type"] in wanted and not one.keys() - _KEYS[one["type"]] for one in inner)
    return are_texts and all(0 < _size(text) <= most for text, most in texts_of(block))


def _are_actions(elements: list[Mapping[str, Any]]) -> bool:
    ids = [one["action_id"] for one in elements]
    return 0 < len(ids) <= 25 and len(set(ids)) == len(ids) and all(map(_is_action, elements))


def _is_action(one: Mapping[str, Any]) -> bool:
    if one.keys() - _KEYS[one["type"]] or not 0 < len(one["action_id"]) <= 255:
        return False
    if one["type"] == "button":
        return len(one.get("value", "")) <= 2000 and one.get("style", "primary") in {
            "primary",
            "danger",
        }
    options = one["options"]
    return 0 < len(options) <= 100 and all(
        0 < len(o["text"]["text"]) <= 75 and 0 < len(o["value"]) <= 75 for o in options
    )


def _size(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@contextmanager
def slack() -> Iterator[Slack]:
    """A workspace on a free port; `url` is what the API's address is in place of Slack's."""
    workspace, turn = Slack(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            if workspace.limited:
                self.reply(429, b"ratelimited", {"Retry-After": str(workspace.limited.pop(0))})
                return
            if self.path.startswith("/upload/"):
                self.reply(workspace.bring(self.path, headers, body), b"OK", {})
                return
            with turn:
                answer = workspace.answer(self.path.removeprefix("/api/"), headers, body)
            if workspace.lost and workspace.lost.pop(0):
                self.close_connection = True
                return
            self.reply(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

        def reply(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    workspace.url = f"http://127.0.0.1:{server.server_address[1]}/api"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield workspace
    finally:
        server.shutdown()
        server.server_close()
