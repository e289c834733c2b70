"""Secrets and personal data are found in each format that people and programs write them in."""

from __future__ import annotations

import pytest

from detector.logs.redaction import redacted

# Made of parts, so that no scanner takes this file for a leak.
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
GOOGLE = "ya29." + "a0AfH6SMBx1234567890abc"
GITHUB = "ghp_" + "0123456789abcdefghijABCDEFGHIJ012345"
JWT = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0.abcdefgh"
Cases = list[tuple[str, str]]

JSON: Cases = [
    ('{"db":{"password":"s3cr3t!","user":"app"}}', '{"db":{"password":"<secret>","user":"app"}}'),
    ('{"passwords":["a1b2c3","d4"]}', '{"passwords":["<secret>"]}'),
    ('{"client_secret": "abc-DEF", "n":"x"}', '{"client_secret": "<secret>", "n":"x"}'),
    ('{"refresh_token":"1//0abcdef","ttl":3599}', '{"refresh_token":"<secret>","ttl":3599}'),
    ('{"x-api-key":"k-123456"}', '{"x-api-key":"<secret>"}'),
    ('{"set-cookie":["sid=abc; Path=/","t=1"]}', '{"set-cookie":["<secret>"]}'),
    ('{"Password" : "x y z", "n":1}', '{"Password" : "<secret>", "n":1}'),
    ('{"phone":"+1 (415) 555-2671","n":2}', '{"phone":"<phone>","n":2}'),
    ('{"user":{"email":"ann@example.org"}}', '{"user":{"email":"<email>"}}'),
    ('{"pan":"4111111111111111","ok":true}', '{"pan":"<card>","ok":true}'),
    (r'{"body":"{\"client_secret\":\"q1w2\"}"}', r'{"body":"{\"client_secret\":\"<secret>\"}"}'),
]
LOGFMT: Cases = [
    ("level=info user=ann passwd=hunter2 dur=3ms", "level=info user=ann passwd=<secret> dur=3ms"),
    ('api_key="k 1 2" path=/x', 'api_key="<secret>" path=/x'),
    ("token=abc123def user=7", "token=<secret> user=7"),
    ("otp=123456 attempts=2", "otp=<secret> attempts=2"),
    ("cvv=123 amount=12.50", "cvv=<secret> amount=12.50"),
    ("ssn: 078-05-1120 state=NY", "ssn: <secret> state=NY"),
    ("mobile=07911123456 n=1", "mobile=<secret> n=1"),
    ("msg=sent to=ann@example.org n=1", "msg=sent <email> n=1"),
    ("ssl.keystore.password = changeit", "ssl.keystore.password = <secret>"),
    (
        'mech required username="a" password="pw1";',
        'mech required username="a" password="<secret>";',
    ),
]
QUERIES: Cases = [
    ("GET /in?user=ann&password=pw1&next=/ 200", "GET /in?user=ann&password=<secret>&next=/ 200"),
    (f"GET /cb?code=4&access_token={GOOGLE}&n=x", "GET /cb?code=4&access_token=<key>&n=x"),
    ("https://h/x?sig=AbC123%2Bd%3D&se=2026-01-01", "https://h/x?sig=<secret>&se=2026-01-01"),
    (
        "/k?X-Amz-Signature=0123abcd0123&X-Amz-Expires=6",
        "/k?X-Amz-Signature=<secret>&X-Amz-Expires=6",
    ),
    (
        "to=https%3A%2F%2Fa%2F%3Fpassword%3Dpw1%26b%3D1",
        "to=https%3A%2F%2Fa%2F%3Fpassword%3D<secret>%26b%3D1",
    ),
    ("/reset?token=9f86d081884c7d65#top", "/reset?token=<secret>"),
]
HEADERS: Cases = [
    ("X-Api-Key: 0123456789abcdef", "X-Api-Key: <secret>"),
    ("Proxy-Authorization: Basic dXNlcjpwYXNz", "Proxy-Authorization: Basic <secret>"),
    ("Set-Cookie: sid=abc123; Path=/; HttpOnly", "Set-Cookie: <secret>"),
    (f"authorization: Bearer {JWT}", "authorization: Bearer <jwt>"),
    ("X-Auth-Token: 9f86d081884c7d65", "X-Auth-Token: <secret>"),
    (
        f"authorization: AWS4-HMAC-SHA256 Credential={AWS}/x, Signature=fe5",
        "authorization: AWS4-HMAC-SHA256 <secret>",
    ),
    ("x-csrf-token: a8f5f167f44f4964e6c998dee827110c", "x-csrf-token: <secret>"),
    ("{'Authorization': 'Token 0123456789abcdef'}", "{'Authorization': 'Token <secret>'}"),
    ('From: "Ann Lee" <ann.lee@example.org>', 'From: "Ann Lee" <<email>>'),
]
TRACES: Cases = [
    (
        "denied: jdbc:mysql://db/x?user=app&password=pw1\n\tat a.Db.open(Db.java:1)",
        "denied: jdbc:mysql://db/x?user=app&password=<secret>␊ at a.Db.open(Db.java:1)",
    ),
    (
        'ValueError: bad login ann@example.org\n  File "x.py", line 1, in f',
        'ValueError: bad login <email>␊  File "x.py", line 1, in f',
    ),
    (
        "OperationalError: postgresql://app:pw1@db/x\nduring handling of password=pw2",
        "OperationalError: postgresql://app:<secret>@db/x␊during handling of password=<secret>",
    ),
    (
        "panic: user 12345678Z\n\ngoroutine 1 [running]:\nmain.pay(0xc000)",
        "panic: user <person>␊␊goroutine 1 [running]:␊main.pay(0xc000)",
    ),
]
SQL: Cases = [
    (
        "CREATE USER a WITH PASSWORD 'pw1' VALID UNTIL 'x'",
        "CREATE USER a WITH PASSWORD '<secret>' VALID UNTIL 'x'",
    ),
    (
        "SET PASSWORD FOR 'a'@'h' = PASSWORD('pw1')",
        "SET PASSWORD FOR 'a'@'h' = PASSWORD('<secret>')",
    ),
    (
        "CREATE LOGIN a WITH PASSWORD = N'pw1', X = 2",
        "CREATE LOGIN a WITH PASSWORD = N'<secret>', X = 2",
    ),
    (
        "UPDATE u SET password = 'it''s me' WHERE id = 7",
        "UPDATE u SET password = '<secret>' WHERE id = 7",
    ),
    ("UPDATE u SET password = '' WHERE id = 7", "UPDATE u SET password = '' WHERE id = 7"),
    (
        "GRANT ALL ON x TO 'a'@'%' IDENTIFIED BY 'pw1'",
        "GRANT ALL ON x TO 'a'@'%' IDENTIFIED BY '<secret>'",
    ),
    (
        "SELECT * FROM u WHERE password='pw1' AND n=1",
        "SELECT * FROM u WHERE password='<secret>' AND n=1",
    ),
    ("INSERT INTO t (m) VALUES ('ann@example.org', 1)", "INSERT INTO t (m) VALUES ('<email>', 1)"),
    ("Key (mail)=(ann@example.org) already exists.", "Key (mail)=(<email>) already exists."),
]
YAML: Cases = [
    ("  apiKey: 'abc def'", "  apiKey: '<secret>'"),
    ('db:\n  password: "pw1"\n  host: db', 'db:␊  password: "<secret>"␊  host: db'),
    ("- name: DB_PASSWORD\n  value: pw1", "- name: DB_PASSWORD␊  value: <secret>"),
    ("- name: MODE\n  value: production", "- name: MODE␊  value: production"),
    ("clientSecret: !!str abc\nretries: 3", "clientSecret: <secret> abc␊retries: 3"),
]
SHELL: Cases = [
    ("mysql -u root -ppw1word shop", "mysql -u root -p<secret> shop"),
    ("mysqldump -h db -u app -p'a b' shop", "mysqldump -h db -u app -p<secret> shop"),
    ("export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI", "export AWS_SECRET_ACCESS_KEY=<secret>"),
    ("PGPASSWORD=pw1 psql -h db", "PGPASSWORD=<secret> psql -h db"),
    (
        "curl -H 'Authorization: Bearer abcdef123456' https://x",
        "curl -H 'Authorization: Bearer <secret>' https://x",
    ),
    ("sshpass -p pw1 ssh a@h", "sshpass -p <secret> ssh a@h"),
    ("docker login -u ann -p pw1 registry", "docker login -u ann -p <secret> registry"),
    ("redis-cli -h cache -a pw1 ping", "redis-cli -h cache -a <secret> ping"),
    ("openssl enc -pass pass:pw1 -in f", "openssl enc -pass pass:<secret> -in f"),
    (
        "helm upgrade --set db.password=pw1,db.host=x",
        "helm upgrade --set db.password=<secret>,db.host=x",
    ),
    ("wget --http-password=pw1 https://x", "wget --http-password=<secret> https://x"),
]
ADDRESSES: Cases = [
    ("amqp://guest:gu3st@mq:5672/", "amqp://guest:<secret>@mq:5672/"),
    ("redis://:pw1@cache:6379/0", "redis://:<secret>@cache:6379/0"),
    ("smtp://bot:p:w:1@mx:25", "smtp://bot:<secret>@mx:25"),
    (f"https://{GITHUB}@github.com/o/r", "https://<key>/o/r"),
    ("Data Source=db;User ID=sa;Pwd=P@ss w0rd;", "Data Source=db;User ID=sa;Pwd=<secret>;"),
    ("mailto:ann@example.org?subject=x", "mailto:<email>?subject=x"),
]
XML: Cases = [
    (
        "<wsse:Password Type='x'>pw1</wsse:Password>",
        "<wsse:Password Type='x'><secret></wsse:Password>",
    ),
    (
        "<user><apiToken>abc</apiToken><n>1</n></user>",
        "<user><apiToken><secret></apiToken><n>1</n></user>",
    ),
    ('<add key="ApiSecret" value="pw1"/>', '<add key="ApiSecret" value="<secret>"/>'),
    ("<mail>ann@example.org</mail>", "<mail><email></mail>"),
]
FORMATS = {
    "json": JSON, "logfmt": LOGFMT, "query": QUERIES, "header": HEADERS, "trace": TRACES,
    "sql": SQL, "yaml": YAML, "shell": SHELL, "address": ADDRESSES, "xml": XML,
}  # fmt: skip
EVERY = [(name, *case) for name, cases in FORMATS.items() for case in cases]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [case[1:] for case in EVERY],
    ids=[f"{name}-{nth}" for nth, (name, *_) in enumerate(EVERY)],
)
def test_only_the_value_is_taken_out_of_each_format(text: str, wanted: str) -> None:
    """A secret would be readable in one of them, or all of a line be hidden that helps."""
    assert redacted(text) == wanted


@pytest.mark.parametrize("name", FORMATS)
def test_a_secret_inside_of_a_longer_log_line_is_found_as_well(name: str) -> None:
    """Real lines have a header before, and the next field after what a test shows alone."""
    head = "2026-11-27T03:16:02Z checkout-7d9f8b6c5d-x2x4z [info] "
    for text, wanted in FORMATS[name]:
        assert redacted(f"{head}{text}") == f"{head}{wanted}"


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_taken_out_once_is_not_taken_out_of_what_is_left(name: str) -> None:
    """A line that is shown from the store would differ from the line that was notified."""
    for _, wanted in FORMATS[name]:
        assert redacted(wanted) == wanted


@pytest.mark.parametrize("quote", ['"', "'", r"\"", r"\\\"", "%22"])
@pytest.mark.parametrize("key", ["password", "client_secret", "access_token", "DB_PASSWD"])
def test_a_value_ends_with_the_quotes_that_opened_it(quote: str, key: str) -> None:
    """Either the secret's end stays, or the fields behind it go."""
    line = f"{quote}{key}{quote}:{quote}ab1-cd2{quote},{quote}n{quote}:1"
    assert redacted(line) == line.replace("ab1-cd2", "<secret>")


@pytest.mark.parametrize("prefix", ["N", "b", "u", "E", "rb"])
def test_a_text_with_its_kind_before_the_quotes_is_a_text(prefix: str) -> None:
    """The letter before the quotes would be hidden, and the password after it shown."""
    assert redacted(f"password = {prefix}'pw one', n=1") == f"password = {prefix}'<secret>', n=1"


@pytest.mark.parametrize(
    "known", ["hunter2", "correct horse", "pä55", "a;b", "p@ss:w0rd/x", "日本語1"]
)
def test_no_alphabet_and_no_sign_saves_a_password_in_quotes(known: str) -> None:
    """Who chose a good password would be the one whose password is shown."""
    for form in ('{{"password":"{}"}}', "password='{}'", "PASSWORD '{}'", '--password "{}"'):
        assert known not in redacted(form.format(known))
