"""What is stored or shown of a line: nothing of a person, no secret, nothing that acts."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logs.plain import LINE_END
from detector.logs.redaction import NOTHING_LEFT, redacted, redacted_lines

# Made of parts, so that no scanner takes this file for a leak.
STRIPE = "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc"
SLACK = "xox" + "b-123456789012-abcdefGHIJKL"
JWT = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVPmB92K27u"
BLOCK = "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----"

PERSONAL = {
    "mail": ("mail of ann.lee+x@example.co.uk bounced", "mail of <email> bounced"),
    "mail in a query": ("GET /?u=ann%40example.org HTTP/1.1", "GET /?<email> HTTP/1.1"),
    "mail of another alphabet": ("to jürgen@müller.de now", "to <email> now"),
    "international phone": ("call +49 151 23456789 now", "call <phone> now"),
    "american phone": ("call (415) 555-2671 now", "call <phone> now"),
    "phone after its key": ('{"phone":"0151 234567"}', '{"phone":"<secret>"}'),
    "card": ("card 4111 1111 1111 1111 charged", "card <card> charged"),
    "card without spaces": ("pan=5500005555555559", "pan=<card>"),
    "card after a hyphen": ("card-4111111111111111", "card-<card>"),
    "american express": ("pan 378282246310005.", "pan <card>."),
    "iban": ("to DE89370400440532013000, 12 EUR", "to <iban>, 12 EUR"),
    "iban in groups": ("to GB82 WEST 1234 5698 7654 32 ok", "to <iban> ok"),
    "italian": ("cf RSSMRA85T10A562S", "cf <person>"),
    "french": ("nir 255081416802538 ok", "nir <person> ok"),
    "spanish": ("dni 12345678Z", "dni <person>"),
    "brazilian": ("cpf 529.982.247-25", "cpf <person>"),
    "chinese": ("id 11010519491231002X", "id <person>"),
    "finnish": ("hetu 131052-308T", "hetu <person>"),
    "norwegian": ("fnr 01010750160", "fnr <person>"),
    "swiss": ("ahv 756.9217.0769.85", "ahv <person>"),
    "belgian": ("rrn 85.07.30-033.28", "rrn <person>"),
    "swedish": ("pnr 811218-9876", "pnr <person>"),
}
SECRETS = {
    "logfmt": ("user=7 password=hunter2 ok=1", "user=7 password=<secret> ok=1"),
    "logfmt in quotes": ('password="a b" ok=1', 'password="<secret>" ok=1'),
    "json": ('{"password":"a\\"b","n":1}', '{"password":"<secret>","n":1}'),
    "json number": ('{"password": 123456, "n": 1}', '{"password": <secret>, "n": 1}'),
    "json inside of json": (r'{"m":"{\"token\":\"abcd\"}"}', r'{"m":"{\"token\":\"<secret>\"}"}'),
    "python": ("{'api_key': 'k1', 'n': 1}", "{'api_key': '<secret>', 'n': 1}"),
    "ruby": ('{"password"=>"x1", "n"=>1}', '{"password"=>"<secret>", "n"=>1}'),
    "java": ("User(password=abc, name=x)", "User(password=<secret>, name=x)"),
    "yaml": ("client_secret: s3cr3t", "client_secret: <secret>"),
    "plain secret": ("secret: hunter2", "secret: <secret>"),
    "environment": ("DB_PASSWORD=p@ss;w0rd", "DB_PASSWORD=<secret>"),
    "camel": ("accessToken=ab12cd", "accessToken=<secret>"),
    "query": ("GET /x?token=abcd&n=3", "GET /x?token=<secret>&n=3"),
    "query, coded": ("next=%2Fx%3Ftoken%3Dabcd12%26n%3D3", "next=%2Fx%3Ftoken%3D<secret>%26n%3D3"),
    "header": ("Authorization: Bearer abc.def-12", "Authorization: Bearer <secret>"),
    "header of a dump": (
        "map[Authorization:[Basic dTpw] Host:[x]]",
        "map[Authorization:[Basic <secret>] Host:[x]]",
    ),
    "digest": (
        'Authorization: Digest username="a", response="b"',
        "Authorization: Digest <secret>",
    ),
    "bearer alone": ("sent bearer abcdef123456", "sent bearer <secret>"),
    "basic alone": ("sent Basic dXNlcjpwYXNz", "sent Basic <secret>"),
    "cookies": ("Cookie: sid=abc; theme=dark status=200", "Cookie: <secret> status=200"),
    "session": ("session_id=ab12cd34ef56", "session_id=<secret>"),
    "url": ("postgres://app:p@ss@db:5432/x", "postgres://app:<secret>@db:5432/x"),
    "url of go": ("root:pa55@tcp(db:3306)/x", "root:<secret>@tcp(db:3306)/x"),
    "connection string": (
        "Server=a;Password=P w!;Database=x",
        "Server=a;Password=<secret>;Database=x",
    ),
    "rails": ("secret_key_base: 0123abc", "secret_key_base: <secret>"),
    "curl": ("curl -u ann:hunter2 https://x", "curl -u ann:<secret> https://x"),
    "flag": ("run --password hunter2 --fast", "run --password <secret> --fast"),
    "sql": ("ALTER USER a IDENTIFIED BY 'x1'", "ALTER USER a IDENTIFIED BY '<secret>'"),
    "xml": ("<password>abc</password>", "<password><secret></password>"),
    "kubernetes": (
        '{"name":"DB_PASSWORD","value":"x1"}',
        '{"name":"DB_PASSWORD","value":"<secret>"}',
    ),
    "azure": ("AccountKey=abcd+/12==;Suffix=x", "AccountKey=<secret>;Suffix=x"),
    "aws": ("key AKIA" + "IOSFODNN7EXAMPLE", "key <key>"),
    "google": ("key AIza" + "SyA-1234567890abcdefghijklmnopqrstu", "key <key>"),
    "github": ("clone with ghp_" + "a1B2" * 9, "clone with <key>"),
    "gitlab": ("glpat-" + "aB3dE6gH9jK2mN5pQ8sT", "<key>"),
    "slack": (SLACK, "<key>"),
    "stripe": (STRIPE, "<key>"),
    "jwt": (f"got {JWT} twice", "got <jwt> twice"),
    "private key": (f"read {BLOCK} ok", "read <private_key> ok"),
    "private key cut off": (BLOCK[:50], "<private_key>"),
}
ORDINARY = [
    "2026-11-27T03:16:02.123456+02:00 order 1234567890123456 shipped in 12 ms",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b by ci",
    "request 550e8400-e29b-41d4-a716-446655440000 took 1700000000123456789 ns",
    "uuid 41111111-1111-4111-8111-111111111111 of 4111-1111-2222",
    "GET /api/v1/orders/4711?page=2&sort=desc 200 1532 10.0.0.7:8080",
    "Unexpected token: } at line 3",
    "Unexpected token IDENTIFIER, expected one of: EOF",
    "invalid token: expired",
    "tokens=512 max_tokens: 4096 token_count=12 token_type=bearer",
    "password: must contain 8 characters",
    'field "password" is required',
    "authentication failed: bearer token expired",
    "basic authentication is disabled",
    "MountVolume failed: secret default/my-tls not found",
    "authorization: granted, credentials: invalid, docker run -u 1000:1000",
    "signal sig=11 spin: 1234567 auth=enabled mapping=abcdef12",
    "lodash@4.17.21 and image@sha256:9f86d081884c7d659a2feaa0",
    "git@github.com:org/repo.git fetched",
    "java.lang.Object@1a2b3c4d at com.acme.Main$$Lambda/0x00007f.run(Main.java:12)",
    "http://host:8080/path?x=1 and https://example.org/a@b",
    "took 12.345678901234567890 s, offset +0200, 2026-11-27 03:16:02 12345",
    "password=<secret> token=<*> by <email>",
    "password=**** token=[FILTERED] secret: null",
    "pod checkout-7d9f8b6c5d-x2x4z on node ip-10-0-1-23 restarted",
    "received block blk_-4980916519894289629 of -4111111111111111 bytes",
    "received block 4980916519894289629 and snowflake 1541815603606036480",
    "Grüße aus Köln: 日本語 ok 👍",
]
HOSTILE = [
    "password=", "a@", "x@a.", '"password":"', "4111 ", "+1 23", "bearer ", "://a:", "eyJ", "a.",
    "-----BEGIN PRIVATE KEY-----", "token: ", ",", "\\", "\x1b[", "\x1b]", "DE89", "(", "1:",
    "password=\"token='", "<password>", "--token ", "cookie: a;", "name=token,value=", ":A@", "1",
    "authorization: digest ", "password=[a ", "sig=sig:", "a", "4111111111111111 ", '\\\\"', "[",
    "41111111-1111-4111-8111-111111111111 4111111111111111 ", "eyJaaaa.", "%3D", "secret%22",
]  # fmt: skip
PIECES = st.sampled_from(
    [*HOSTILE, *(before for before, _ in (PERSONAL | SECRETS).values()), " ", "\n", "=", "<", ">"]
)
TEXTS = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=8).map("".join))


def cases(of: dict[str, tuple[str, str]]) -> pytest.MarkDecorator:
    """Each under its name."""
    return pytest.mark.parametrize(("text", "wanted"), of.values(), ids=of)


@cases(PERSONAL)
def test_personal_data_is_taken_out(text: str, wanted: str) -> None:
    """A person's address would be kept for months, and be on a page that many open."""
    assert redacted(text) == wanted


@cases(SECRETS)
def test_secrets_are_taken_out(text: str, wanted: str) -> None:
    """Whoever may read logs could log in as somebody else."""
    assert redacted(text) == wanted


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_line_stays_as_it_is(text: str) -> None:
    """A line in which numbers, ids and words are hidden does not help who is woken."""
    assert redacted(text) == text


@pytest.mark.parametrize("text", ["1234567890123", "4111111111111112", "DE88370400440532013000"])
def test_a_number_with_a_wrong_check_digit_stays(text: str) -> None:
    """Nine of ten order numbers would be hidden for nothing."""
    assert redacted(f"order {text} paid") == f"order {text} paid"


@pytest.mark.parametrize("address", ["10.0.0.7", "2001:db8::1", "::ffff:10.0.0.7"])
def test_addresses_of_the_network_are_hidden_on_demand(address: str) -> None:
    """Where an address is personal data it may not be kept; elsewhere it is what helps most."""
    assert redacted(f"from {address} at 12:30:45", hides_addresses=True) == "from <ip> at 12:30:45"
    assert redacted(f"from {address}") == f"from {address}"


def test_what_acts_on_a_terminal_is_taken_out() -> None:
    """A line of a log could recolour, overwrite or forge what an operator reads."""
    text = "ok\r\n\x1b[2J\x1b[31mroot\x1b[0m\x1b]0;title\x07\x08\x9b1mx\u202egnp.exe\u2066\x00"
    assert redacted(text) == "ok␊root␈xgnp.exe␀"


def test_a_line_cannot_pretend_to_be_two() -> None:
    """An attacker would write entries of the log himself."""
    shown = redacted("failed\n2026-11-27 INFO admin logged in\u2028again\x85more")
    assert len(shown.splitlines()) == 1


def test_who_wants_lines_gets_them_back() -> None:
    """A stack trace in one line is read by nobody."""
    assert redacted_lines("a\n\tat b\x1b[0m password=x1y") == "a\n at b password=<secret>"


def test_halves_of_characters_do_no_harm() -> None:
    """Bytes that are no text would end whoever encodes them."""
    assert redacted("a\udc80b") == "a\ufffdb"


@given(TEXTS)
def test_to_redact_again_changes_nothing(text: str) -> None:
    """What is stored redacted and shown redacted would be two texts."""
    once = redacted(text)
    assert redacted(once) == once


@given(TEXTS)
def test_no_text_becomes_much_longer(text: str) -> None:
    """Redaction would be a way to fill the disk."""
    assert len(redacted(text)) <= max(3 * len(text), len(NOTHING_LEFT))


@given(TEXTS)
def test_nothing_that_is_shown_acts_or_hides(text: str) -> None:
    """One character that was forgotten would be enough."""
    shown = redacted(text)
    assert all(one.isprintable() or one in "\u00a0\u200c\u200d" or one > "\u00ff" for one in shown)
    assert not set(shown) & set("\x1b\x9b\n\r\u202e\u2066\u200b")


@given(TEXTS, st.sampled_from(list((PERSONAL | SECRETS).values())))
def test_what_stands_before_a_secret_does_not_save_it(text: str, case: tuple[str, str]) -> None:
    """A crafted prefix would switch redaction off for the rest of the line."""
    before, after = case
    for word in set(before.split()) - set(after.split()):
        if len(word) > 12:
            assert word not in redacted(f"{text}\n{before}").split(LINE_END)[-1]


def test_all_that_is_made_to_hurt_at_once_takes_no_longer() -> None:
    """What each of them opens another one might look for the end of."""
    text = "".join(HOSTILE) * 3
    taken = [_taken(text * times) for times in (10, 100)]
    assert taken[1] < 20 * taken[0] + 0.5


@pytest.mark.slow
@pytest.mark.parametrize("piece", HOSTILE)
def test_a_megabyte_that_is_made_to_hurt_takes_time_in_proportion(piece: str) -> None:
    """One hostile line would stop the stream of everybody."""
    taken = [_taken(piece * (size // len(piece))) for size in (100_000, 1_000_000)]
    # Twice the proportion, for a machine that does other things, and what no machine measures.
    assert taken[1] < 20 * taken[0] + 0.5


def _taken(text: str) -> float:
    began = time.thread_time()
    redacted(text, hides_addresses=True)
    return time.thread_time() - began
