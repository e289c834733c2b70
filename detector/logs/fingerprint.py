"""The same error under every line number: what was raised, and where in the app's own code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from detector.logs.plain import plain
from detector.logs.trace_frames import Frame, Language, Raised, raised_in

__all__ = ["Fingerprint", "fingerprint"]

# What a compiler, a proxy or a JIT numbers anew each time.
_GENERATED = (
    (re.compile(r"\$\$(?:Lambda|EnhancerBy\w+|FastClassBy\w+|SpringCGLIB)\$?.*?(?=\.|$)"), "$$"),
    (re.compile(r"(?:\$Proxy|GeneratedMethodAccessor|GeneratedConstructorAccessor)\d+"), "$$"),
    (re.compile(r"lambda\$(\w+)\$\d+"), r"\1"),
    (re.compile(r"(?:\.func\d+(?:\.\d+)*)+"), ".func"),
    (re.compile(r"<>c(?:__DisplayClass\d+_\d+)?(?:`\d+)?\."), ""),
    (re.compile(r"<(\w+)>d__\d+(?:`\d+)?\.MoveNext"), r"\1"),
    (re.compile(r"<(\w+)>[a-z]__\w*?\|?\d+(?:_\d+)?"), r"\1"),
    (re.compile(r"\$\d+"), "$"),
    (re.compile(r"0x[0-9a-fA-F]+"), ""),
)
# What a bundler puts into a file's name is another with each build.
_BUILD = re.compile(r"[.-](?:[0-9a-f]{8,}|(?=[\w-]{0,7}\d)(?=[\w-]{0,7}[A-Z])[\w-]{8})(?=\.)|\?.*")
# Parts of names of modules, packages and files that are not the app's own.
_FOREIGN: Mapping[Language, Sequence[str]] = {
    Language.JAVA: (
        "java.", "javax.", "jakarta.", "jdk.", "sun.", "com.sun.", "kotlin.", "scala.", "groovy.",
        "org.springframework.", "org.apache.", "org.hibernate.", "org.eclipse.", "org.jboss.",
        "io.netty.", "io.micrometer.", "io.grpc.", "io.quarkus.", "io.micronaut.", "reactor.",
        "com.fasterxml.", "com.google.common.", "com.zaxxer.", "org.postgresql.", "com.mysql.",
        "org.junit.", "feign.", "okhttp3.", "redis.clients.", "io.lettuce.", "akka.", "$$",
    ),
    Language.PYTHON: (
        "site-packages/", "dist-packages/", "/lib/python", "\\lib\\", "<frozen ", "<string>",
    ),
    Language.GO: (
        "/usr/local/go/", "/go/pkg/mod/", "/vendor/", "/libexec/src/", "/go/src/runtime/",
        "/go/src/net/", "/opt/go/",
    ),
    Language.NODE: ("node:", "node_modules/", "internal/", "<anonymous>", "native "),
    Language.DOTNET: ("System.", "Microsoft.", "Npgsql.", "Newtonsoft.", "Grpc.", "MySql."),
    Language.RUBY: ("/gems/", "/lib/ruby/", "<internal:"),
}  # fmt: skip
# Go's own functions are told by their package, where a build has trimmed paths.
_GO_OWN = re.compile(r"(?:runtime|net|net/http|reflect|sync|testing|panic)(?:[./(]|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What an error is known by. `id`: `fp_` and 16 digits, the same for the same root frame."""

    id: str
    language: Language
    error: str
    frame: str
    title: str


def fingerprint(text: str) -> Fingerprint | None:
    """The fingerprint of a line that holds a stack trace; None for any other.

    Numbers of lines, addresses and generated names make no difference. Of a chain of causes the
    root counts, and of its frames the innermost one that is of no framework, if there is any.
    """
    raised = raised_in(text)
    if raised is None:
        return None
    frame = _root(raised)
    where, error = _where(raised.language, frame), plain(raised.error) or "an error"
    place = "\0".join((raised.language.value, raised.error, _normal(frame.function), _file(frame)))
    return Fingerprint(
        id="fp_" + sha256(place.encode("utf-8", "replace")).hexdigest()[:16],
        language=raised.language,
        error=error,
        frame=where,
        title=f"{error} at {where}",
    )


def _root(raised: Raised) -> Frame:
    own = (one for one in raised.frames if not _is_foreign(raised.language, one))
    return next(own, raised.frames[0])


def _is_foreign(language: Language, frame: Frame) -> bool:
    names = _FOREIGN[language]
    match language:
        case Language.JAVA | Language.DOTNET:
            return _normal(frame.function).startswith(tuple(names))
        case Language.GO:
            is_own = _GO_OWN.match(frame.function) is not None
            return is_own or any(name in frame.file for name in names)
    return any(name in frame.file for name in names)


def _normal(function: str) -> str:
    for form, by in _GENERATED:
        function = form.sub(by, function)
    return function


def _file(frame: Frame) -> str:
    """The file without directory and build: they are others on each machine, in each release."""
    name = re.split(r"[/\\]", frame.file)[-1]
    return _BUILD.sub("", name) if ".js" in name or ".mjs" in name else name


def _where(language: Language, frame: Frame) -> str:
    """A place as people name it: its class or file, and its function."""
    name = plain(_normal(frame.function))
    if language in (Language.JAVA, Language.DOTNET):
        return ".".join(name.split(".")[-2:])
    if language is Language.GO:
        return name.rpartition("/")[2]
    return f"{name} ({plain(_file(frame))})"
