"""What only a real Kafka does: it goes away, waits for heartbeats, packs, and asks who one is."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from kafka import KafkaProducer

from detector.errors import BrokerError
from pipelines.sources.settings import Tls
from pipelines.topics.kafka_admin import KafkaAdmin
from pipelines.topics.kafka_reader import KafkaReader
from pipelines.topics.kafka_writer import KafkaWriter
from pipelines.topics.port import Begin, Outgoing, Partition, Reader, Topic
from pipelines.topics.settings import BrokerSettings, Mechanism, Sasl
from tests.kafka import RunningKafka, running_kafka
from tests.pipelines.topics.brokers import OnKafka
from tests.pipelines.topics.heard import Heard
from tests.pipelines.topics.test_contract import read
from tests.servers import free_port

pytestmark = [pytest.mark.real, pytest.mark.slow]

JAAS = "org.apache.kafka.common.security.plain.PlainLoginModule required"


@pytest.fixture
def broker(kafka: RunningKafka) -> Iterator[OnKafka]:
    """What a test does with the module's Kafka."""
    opened = OnKafka(kafka.address)
    yield opened
    opened.close()


class Slow(Heard):
    """Takes its time to load a state."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        """Later than a session."""
        time.sleep(self.seconds)
        return super().assigned(partitions)


class Asking(Heard):
    """Begins two messages before the end, wherever that is."""

    reader: Reader

    def assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        """Asks its own reader."""
        super().assigned(partitions)
        return {one: span.end - 2 for one, span in self.reader.spans(partitions).items()}


class Owners:
    """Who has which partition, by what they were told; two at once are a clash."""

    def __init__(self) -> None:
        self.of: dict[Partition, Owning] = {}
        self.clashes: list[Partition] = []

    def forget(self, owner: Owning) -> None:
        """It was thrown out, and does not know yet."""
        self.of = {one: who for one, who in self.of.items() if who is not owner}


class Owning(Heard):
    """Tells what it has and gives back."""

    def __init__(self, owners: Owners) -> None:
        super().__init__()
        self.owners = owners

    def assigned(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        """Nobody else has these."""
        self.owners.clashes += [one for one in partitions if one in self.owners.of]
        self.owners.of |= dict.fromkeys(partitions, self)
        return super().assigned(partitions)

    def revoked(self, partitions: frozenset[Partition]) -> None:
        """Free for others."""
        for one in partitions:
            if self.owners.of.get(one) is self:
                del self.owners.of[one]
        super().revoked(partitions)


def written(broker: OnKafka, messages: list[Outgoing]) -> None:
    """Write once the broker is back; what was refused is sent again."""
    writer = broker.writer()
    for message in messages:
        writer.send(message)
    writer.flush(60)


def shared(one: Heard, two: Heard) -> bool:
    """Whether two have one partition each."""
    return len(one.owned) == len(two.owned) == 1


def numbered(topic: str, count: int, first: int = 0) -> list[Outgoing]:
    """So many messages, each with its number."""
    return [Outgoing(topic=topic, key=None, value=b"%d" % n) for n in range(first, first + count)]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_batches_of_every_codec_are_read(broker: OnKafka, kafka: RunningKafka, codec: str) -> None:
    """Producers pack as they like; a missing package would show when the first batch comes."""
    topic = broker.topic(partitions=1)
    producer = KafkaProducer(bootstrap_servers=kafka.address, compression_type=codec)
    for number in range(100):
        producer.send(topic, b"metrics %d " % number * 20)
    producer.flush(30)
    producer.close()
    values = [one.value for one in read(broker.reader(topic), 100)]
    assert values == [b"metrics %d " % number * 20 for number in range(100)]


def test_what_was_taken_back_is_not_read(broker: OnKafka, kafka: RunningKafka) -> None:
    """A producer with transactions that aborts has not sent these samples."""
    topic = broker.topic(partitions=1)
    producer = KafkaProducer(bootstrap_servers=kafka.address, transactional_id="shop")
    producer.init_transactions()
    for word in (b"aborted", b"committed"):
        producer.begin_transaction()
        producer.send(topic, word)
        producer.flush(30)
        if word == b"aborted":
            producer.abort_transaction()
        else:
            producer.commit_transaction()
    producer.close()
    assert [one.value for one in read(broker.reader(topic), 1)] == [b"committed"]


def test_a_state_may_take_longer_to_load_than_a_session(broker: OnKafka) -> None:
    """A worker with a million series would be thought dead while it starts, and never start."""
    topic = broker.topic(partitions=1)
    broker.write(*numbered(topic, 1))
    heard = Slow(broker.settings.session_s + 3.0)
    first = broker.reader(topic, heard=heard)
    assert [one.value for one in read(first, 1)] == [b"0"]
    assert heard.words() == ["assigned"]
    first.poll(1.0, 10)
    first.commit({Partition(topic, 0): 1})
    assert broker.committed(first) == {Partition(topic, 0): 1}


def test_the_log_may_be_asked_while_partitions_are_taken(broker: OnKafka) -> None:
    """Where a partition begins that was never read is asked of the broker, in that moment."""
    topic = broker.topic(partitions=1)
    broker.write(*numbered(topic, 7))
    heard = Asking()
    heard.reader = broker.reader(topic, heard=heard)
    assert [one.value for one in read(heard.reader, 2)] == [b"5", b"6"]


def test_who_freezes_loses_its_partitions_to_the_others(broker: OnKafka) -> None:
    """A worker that hangs must not hold up its partitions; one that wakes up hears it."""
    topic = broker.topic(partitions=2)
    settings = replace(broker.settings, session_s=2.0, pause_s=3.0)
    one, two = Heard(), Heard()
    with (
        closing(KafkaReader(settings, "frozen", [topic], one)) as first,
        closing(KafkaReader(settings, "frozen", [topic], two)) as second,
    ):
        broker.until(partial(shared, one, two), first, second)
        began = time.monotonic()
        broker.until(lambda: len(two.owned) == 2, second)
        assert time.monotonic() - began < 15.0
        broker.until(lambda: "lost" in one.words(), first, second)
        assert one.words().count("lost") == 1


def test_two_who_poll_in_turn_agree_at_once(broker: OnKafka) -> None:
    """A join that ends between two polls was forgotten by the client: they joined for ever."""
    took = []
    for _ in range(8):
        topic = broker.topic(partitions=2)
        one, two = Heard(), Heard()
        first, second = broker.reader(topic, heard=one), broker.reader(topic, heard=two)
        began = time.monotonic()
        broker.until(partial(shared, one, two), first, second)
        took.append(time.monotonic() - began)
        first.close()
        second.close()
    assert max(took) < 10.0


def test_no_partition_has_two_owners_while_members_come_and_go(broker: OnKafka) -> None:
    """Both would judge the same samples, and each tell of them."""
    topic = broker.topic(partitions=6)
    owners, rng = Owners(), random.Random(7)  # noqa: S311 - the same each time
    members: list[tuple[Owning, Reader]] = []
    for _ in range(40):
        if len(members) < 3:
            owning = Owning(owners)
            members.append((owning, broker.reader(topic, heard=owning)))
        deed, chosen = rng.random(), rng.choice(members)
        if deed < 0.2:
            chosen[1].close()
            members.remove(chosen)
        elif deed < 0.3 and chosen[0].owned:
            owners.forget(chosen[0])
            broker.expire(chosen[1])
        for _ in range(rng.randrange(1, 5)):
            for _, reader in members:
                reader.poll(rng.choice((0.01, 0.05, 0.1)), 10)
    readers = [reader for _, reader in members]
    broker.until(lambda: sum(len(one.owned) for one, _ in members) == 6, *readers)
    assert not owners.clashes


def test_a_broker_that_restarts_is_waited_for() -> None:
    """Nothing is lost, nothing comes twice, and nobody has to restart a worker."""
    with running_kafka() as kafka, closing(OnKafka(kafka.address)) as broker:
        topic = broker.topic(partitions=1)
        broker.write(*numbered(topic, 50))
        heard = Heard()
        reader = broker.reader(topic, heard=heard)
        before = read(reader, 50)
        heard.offsets[Partition(topic, 0)] = 50
        kafka.kill()
        assert reader.poll(1.0, 10) == {}
        with pytest.raises(BrokerError) as raised:
            reader.spans([Partition(topic, 0)])
        assert raised.value.retryable
        kafka.start()
        written(broker, numbered(topic, 50, first=50))
        after = read(reader, 50)
    assert [one.value for one in before + after] == [b"%d" % n for n in range(100)]
    assert [one.offset for one in before + after] == list(range(100))


def test_what_cannot_be_written_is_told_in_time() -> None:
    """A worker must not hang on its topic of anomalies while the broker is away."""
    with running_kafka() as kafka, closing(OnKafka(kafka.address)) as broker:
        topic = broker.topic(partitions=1)
        writer = broker.writer()
        writer.send(numbered(topic, 1)[0])
        writer.flush(30)
        kafka.kill()
        began = time.monotonic()
        writer.send(numbered(topic, 1, first=1)[0])
        with pytest.raises(BrokerError) as raised:
            writer.flush(2.0)
        assert raised.value.retryable
        assert time.monotonic() - began < 8.0


@pytest.mark.parametrize("open_client", [KafkaAdmin, KafkaWriter])
def test_a_broker_that_is_not_there_is_told_in_time(
    open_client: type[KafkaAdmin | KafkaWriter],
) -> None:
    """Which address, and that a later try may do."""
    settings = BrokerSettings(servers=(f"127.0.0.1:{free_port()}",), request_s=1.0)
    began = time.monotonic()
    with pytest.raises(BrokerError, match=settings.servers[0]) as raised:
        open_client(settings)
    assert raised.value.retryable
    assert time.monotonic() - began < 10.0


def test_threads_end_with_their_client(broker: OnKafka) -> None:
    """A worker that stops must not leave what keeps its process alive."""
    topic = broker.topic(partitions=1)
    broker.write(*numbered(topic, 3))
    before = set(threading.enumerate())
    reader, writer = broker.open_reader(topic, Heard(), Begin.EARLIEST), broker.open_writer()
    read(reader, 3)
    writer.send(numbered(topic, 1)[0])
    writer.flush(30)
    reader.close()
    writer.close()
    left = [one for one in set(threading.enumerate()) - before if one.is_alive()]
    for thread in left:
        thread.join(5.0)
    assert not [one.name for one in left if one.is_alive()]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for `localhost` that is its own authority."""
    folder = tmp_path_factory.mktemp("certificates")
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem"]
    words += ["-out", "cert.pem", "-subj", "/CN=localhost", "-days", "2"]
    words += ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(words, check=True, capture_output=True, cwd=folder, timeout=60)
    both = (folder / "key.pem").read_text() + (folder / "cert.pem").read_text()
    (folder / "both.pem").write_text(both, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def guarded(certificates: Path) -> Iterator[RunningKafka]:
    """A Kafka that asks for TLS and a user."""
    extra = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(certificates / "both.pem"),
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_ssl.plain.sasl.jaas.config": f'{JAAS} user_serinus="hush-hush";',
    }
    with running_kafka(extra, ("SASL_SSL",)) as running:
        yield running


def login(guarded: RunningKafka, certificates: Path, password: str) -> BrokerSettings:
    """How a client is told to log in."""
    return BrokerSettings(
        servers=(f"localhost:{guarded.listeners['SASL_SSL']}",),
        tls=Tls(ca_file=str(certificates / "cert.pem")),
        sasl=Sasl(mechanism=Mechanism.PLAIN, username="serinus", password=password),
        request_s=5.0,
    )


def test_a_user_is_let_in_over_tls(guarded: RunningKafka, certificates: Path) -> None:
    """All kinds of clients: brokers of a company take no other."""
    settings = login(guarded, certificates, "hush-hush")
    with closing(KafkaAdmin(settings)) as admin:
        admin.create([Topic(name="guarded", partitions=1, replication=1)])
    with closing(KafkaWriter(settings)) as writer:
        writer.send(numbered("guarded", 1)[0])
        writer.flush(30)
    with closing(KafkaReader(settings, "guarded", ["guarded"], Heard())) as reader:
        assert [one.value for one in read(reader, 1)] == [b"0"]


def test_a_wrong_password_is_told_and_not_shown(guarded: RunningKafka, certificates: Path) -> None:
    """It is the commonest mistake, and a log is no place for a password."""
    with pytest.raises(BrokerError) as raised:
        KafkaAdmin(login(guarded, certificates, "not-this-one"))
    assert "not-this-one" not in str(raised.value)


def test_a_certificate_of_nobody_is_refused(guarded: RunningKafka, certificates: Path) -> None:
    """Without the private authority no password is sent."""
    settings = replace(login(guarded, certificates, "hush-hush"), tls=Tls())
    with pytest.raises(BrokerError):
        KafkaAdmin(settings)
