"""The same error on two hosts, in two builds and releases is one; another one is another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.fingerprint import fingerprint

JAVA = "java.lang.IllegalStateException: x\n\tat {}"
DOTNET = "System.TimeoutException: x\n   at {}"
NODE = "TypeError: x is not a function\n    at {}"
GO = "panic: boom\n\ngoroutine {} [running]:\n{}\n\t{} +0x1d"
PYTHON = 'Traceback (most recent call last):\n  File "{}", line {}, in {}\n{}'
RUBY = "{}:{}:in `{}': {} (KeyError)\n\tfrom bin/run:3:in `main'"
PROXIED = JAVA.format("com.acme.A$$SpringCGLIB$${}.run(<generated>)\n\tat com.acme.A.run(A.java:3)")
SAME = {
    "another line": (JAVA.format("a.B.c(B.java:7)"), JAVA.format("a.B.c(B.java:9)")),
    "another lambda": (
        JAVA.format("a.B.lambda$go$0(B.java:7)"),
        JAVA.format("a.B.lambda$go$12(B.java:7)"),
    ),
    "another address of a lambda": (
        JAVA.format("a.B$$Lambda$14/0x0000000800c0.run(Unknown Source)\n\tat a.B.go(B.java:1)"),
        JAVA.format("a.B$$Lambda$27/0x0000000801f8.run(Unknown Source)\n\tat a.B.go(B.java:1)"),
    ),
    "another number of a generated class": (PROXIED.format(0), PROXIED.format(3)),
    "another accessor": (
        JAVA.format(
            "sun.reflect.GeneratedMethodAccessor12.invoke(Unknown Source)\n\tat a.B.c(B.java:1)"
        ),
        JAVA.format(
            "sun.reflect.GeneratedMethodAccessor98.invoke(Unknown Source)\n\tat a.B.c(B.java:1)"
        ),
    ),
    "another anonymous class": (
        JAVA.format("a.B$1.run(B.java:7)"),
        JAVA.format("a.B$2.run(B.java:7)"),
    ),
    "another version of a module": (
        JAVA.format("a.B.c(B.java:7) ~[shop-1.2.jar!/:1.2]"),
        JAVA.format("a.B.c(B.java:8) ~[shop-1.3.jar!/:1.3]"),
    ),
    "another build of a script": (
        NODE.format("a (https://cdn.example.org/js/main.3f786850.chunk.js:2:41532)"),
        NODE.format("a (https://cdn.example.org/js/main.89e6c98d.chunk.js:2:41999)"),
    ),
    "another build by another bundler": (
        NODE.format("go (https://h/assets/index-BkD3f9aZ.js:1:77)"),
        NODE.format("go (https://h/assets/index-C0ffee12.js:1:91)"),
    ),
    "another question to a cache": (
        NODE.format("go (https://h/app.js?v=3:10:7)"),
        NODE.format("go (https://h/app.js?v=4:10:7)"),
    ),
    "another state machine": (
        DOTNET.format("A.B.<PlaceAsync>d__12.MoveNext() in /src/B.cs:line 42"),
        DOTNET.format("A.B.<PlaceAsync>d__19.MoveNext() in /src/B.cs:line 51"),
    ),
    "another runtime that hides it": (
        DOTNET.format("A.B.<PlaceAsync>d__12.MoveNext() in /src/B.cs:line 42"),
        DOTNET.format("A.B.PlaceAsync(Order order) in /src/B.cs:line 42"),
    ),
    "another closure": (
        DOTNET.format("A.B.<>c__DisplayClass3_0.<Run>b__0() in /src/B.cs:line 4"),
        DOTNET.format("A.B.<>c__DisplayClass5_1.<Run>b__2() in /src/B.cs:line 9"),
    ),
    "another goroutine and build directory": (
        GO.format(7, "main.pay(0xc000, 0x1)", "/build/71/src/pay.go:3"),
        GO.format(91, "main.pay(0xc0f1, 0x1)", "/home/ci/src/pay.go:4"),
    ),
    "another function literal": (
        GO.format(7, "main.serve.func1(0x1)", "/src/serve.go:3"),
        GO.format(7, "main.serve.func2.1(0x1)", "/src/serve.go:9"),
    ),
    "another place of installation": (
        PYTHON.format("/app/shop/cart.py", 3, "total", "KeyError: 'a'"),
        PYTHON.format("C:\\srv\\shop\\cart.py", 9, "total", "KeyError: 'b'"),
    ),
    "another package before its error": (
        PYTHON.format("/app/a.py", 3, "f", "requests.exceptions.ConnectionError: x"),
        PYTHON.format("/app/a.py", 3, "f", "urllib3.exceptions.ConnectionError: y"),
    ),
    "another release of a gem": (
        RUBY.format("/x/gems/rack-2.2.8/lib/a.rb", 3, "call", "no key"),
        RUBY.format("/x/gems/rack-3.0.1/lib/a.rb", 5, "call", "no other key"),
    ),
}
APART = {
    "another error": (JAVA.format("a.B.c(B.java:7)"), "a.Other: x\n\tat a.B.c(B.java:7)"),
    "another method": (JAVA.format("a.B.c(B.java:7)"), JAVA.format("a.B.d(B.java:7)")),
    "another class": (JAVA.format("a.B.c(B.java:7)"), JAVA.format("a.E.c(E.java:7)")),
    "another package": (JAVA.format("a.B.c(B.java:7)"), JAVA.format("z.B.c(B.java:7)")),
    "another script": (
        NODE.format("a (https://h/main.3f786850.js:2:4)"),
        NODE.format("a (https://h/vendor.3f786850.js:2:4)"),
    ),
    "another awaited method": (
        DOTNET.format("A.B.<PlaceAsync>d__12.MoveNext()"),
        DOTNET.format("A.B.<CancelAsync>d__12.MoveNext()"),
    ),
    "a method and a closure of another": (
        DOTNET.format("A.B.<>c.<Run>b__0_0(Int32 x)"),
        DOTNET.format("A.B.<>c.<Stop>b__0_0(Int32 x)"),
    ),
    "another panic": (
        GO.format(7, "main.pay(0x1)", "/src/pay.go:3"),
        GO.format(7, "main.pay(0x1)", "/src/pay.go:3").replace("boom", "no such account"),
    ),
    "another receiver": (
        GO.format(7, "main.(*Cart).Add(0x1)", "/src/x.go:3"),
        GO.format(7, "main.(*Store).Add(0x1)", "/src/x.go:3"),
    ),
    "another function of a module": (
        PYTHON.format("/app/a.py", 3, "f", "KeyError: 'a'"),
        PYTHON.format("/app/a.py", 3, "g", "KeyError: 'a'"),
    ),
    "another file of the same name's function": (
        PYTHON.format("/app/a.py", 3, "f", "KeyError: 'a'"),
        PYTHON.format("/app/b.py", 3, "f", "KeyError: 'a'"),
    ),
    "another method of a gem": (
        RUBY.format("/x/gems/rack-2.2.8/lib/a.rb", 3, "call", "x"),
        RUBY.format("/x/gems/rack-2.2.8/lib/a.rb", 3, "each", "x"),
    ),
    "the same words in two languages": (JAVA.format("a.B.c(B.java:7)"), NODE.format("c (a.B:7:1)")),
}


def ids(texts: tuple[str, str]) -> tuple[str, str]:
    """Of two texts that hold a trace each."""
    one, other = (fingerprint(text) for text in texts)
    assert one is not None
    assert other is not None
    return one.id, other.id


@pytest.mark.parametrize("texts", SAME.values(), ids=SAME)
def test_what_differs_from_host_to_host_and_from_build_to_build_is_passed_over(
    texts: tuple[str, str],
) -> None:
    """Every release would make all known errors new ones, and page for each."""
    assert texts[0] != texts[1]
    one, other = ids(texts)
    assert one == other


@pytest.mark.parametrize("texts", APART.values(), ids=APART)
def test_what_is_another_error_is_told_apart(texts: tuple[str, str]) -> None:
    """A new error would never be told, since an old one has its name."""
    one, other = ids(texts)
    assert one != other


@given(st.sampled_from(sorted(SAME)), st.text("abcdefgh .:", max_size=30))
def test_the_message_of_an_error_is_not_part_of_it(name: str, message: str) -> None:
    """An id in a message would make an error of each customer."""
    if not any(language in name for language in ("goroutine", "function literal", "gem")):
        text = SAME[name][0]
        assert ids((text.replace(": x", f": {message}"), text))[0] == ids((text, text))[1]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("jquery-3.6.0.min.js", "jquery-3.6.0.min.js"),
        ("vendor-bundle.js", "vendor-bundle.js"),
        ("checkout-service2.js", "checkout-service2.js"),
        ("main.3f786850.js", "main.js"),
        ("app.js?t=1790000000", "app.js"),
    ],
)
def test_only_what_a_bundler_puts_into_a_name_is_left_out_of_it(name: str, kept: str) -> None:
    """Two files of an application would be one, or one file two."""
    found = fingerprint(NODE.format(f"a (https://h/js/{name}:2:4)"))
    assert found is not None
    assert found.title == f"TypeError at a ({kept})"


@pytest.mark.parametrize(
    "text",
    [
        (
            "thread 'main' panicked at src/main.rs:4:5:\nstack backtrace:\n   1: app::place\n"
            "             at ./src/orders.rs:12:9"
        ),
        "Stack trace:\n#0 /app/src/Api.php(9): Cart->add()\n#1 {main}",
        "worker at 10.0.0.7:8080\nleader at 10.0.0.8:8080",
        "GET /a\n  at 12:30:45\n  at 12:31:45",
    ],
)
def test_a_trace_of_another_language_is_none_of_these(text: str) -> None:
    """It would be grouped by whatever happens to look like a frame in it."""
    assert fingerprint(text) is None
