"""What holds for every broker: the one in memory and a real Kafka."""

from __future__ import annotations

import pytest

from detector.errors import BrokerError, OffsetGoneError
from pipelines.topics.port import Begin, Message, Outgoing, Partition, Reader, Topic
from tests.pipelines.topics.brokers import Broker
from tests.pipelines.topics.heard import Heard

PATIENCE_S = 30.0


def read(reader: Reader, count: int, most: int = 1000) -> list[Message]:
    """Poll until so many messages came."""
    found: list[Message] = []
    for _ in range(round(PATIENCE_S / 0.5)):
        for some in reader.poll(0.5, most).values():
            found.extend(some)
        if len(found) >= count:
            return found
    raise AssertionError(f"{len(found)} of {count} messages came")


def test_messages_come_as_they_were_written(broker: Broker) -> None:
    """Headers say why a message is dead and from where: none of it may change on its way."""
    topic = broker.topic(partitions=1)
    sent = Outgoing(
        topic=topic, key=b"shop/cart", value=b"\0\xff", headers=(("reason", b"no"),) * 2
    )
    broker.write(sent)
    (message,) = read(broker.reader(topic), 1)
    assert (message.key, message.value, message.headers) == (sent.key, sent.value, sent.headers)
    assert (message.partition, message.offset) == (Partition(topic, 0), 0)
    assert message.at > 1_700_000_000_000


def test_one_key_is_one_partition_in_order(broker: Broker) -> None:
    """The samples of a service would be judged in another order than they happened."""
    topic = broker.topic(partitions=4)
    words = [Outgoing(topic=topic, key=b"k%d" % (n % 7), value=b"%d" % n) for n in range(200)]
    broker.write(*words)
    messages = read(broker.reader(topic), 200)
    for key in {one.key for one in words}:
        own = [one for one in messages if one.key == key]
        assert len({one.partition for one in own}) == 1
        assert [one.value for one in own] == [one.value for one in words if one.key == key]


def test_a_partition_is_read_on_from_the_offset_that_is_kept(broker: Broker) -> None:
    """State and offset are of one transaction: one message more or less and they differ."""
    topic = broker.topic(partitions=1)
    broker.write(*(Outgoing(topic=topic, key=None, value=b"%d" % n) for n in range(20)))
    heard = Heard(offsets={Partition(topic, 0): 13})
    messages = read(broker.reader(topic, heard=heard), 7)
    assert [one.offset for one in messages] == list(range(13, 20))


def test_who_begins_at_the_latest_reads_only_what_is_new(broker: Broker) -> None:
    """A first start on a topic of weeks would otherwise judge weeks before it judges now."""
    topic = broker.topic(partitions=1)
    broker.write(Outgoing(topic=topic, key=None, value=b"old"))
    heard = Heard()
    reader = broker.reader(topic, heard=heard, begin=Begin.LATEST)
    broker.until(lambda: bool(heard.owned), reader)
    assert reader.poll(0.5, 10) == {}
    broker.write(Outgoing(topic=topic, key=None, value=b"new"))
    assert [one.value for one in read(reader, 1)] == [b"new"]


def test_a_poll_gives_no_more_than_it_is_asked_for(broker: Broker) -> None:
    """What is in hand when a process dies is read again: the bound is what it costs."""
    topic = broker.topic(partitions=2)
    broker.write(*(Outgoing(topic=topic, key=b"%d" % n, value=b"x") for n in range(50)))
    reader = broker.reader(topic)
    sizes: list[int] = []
    while sum(sizes) < 50:
        sizes.append(sum(map(len, reader.poll(5, 7).values())))
    assert max(sizes) <= 7


def test_a_paused_partition_waits_and_the_others_go_on(broker: Broker) -> None:
    """A worker that is full must not be pushed, and must lose nothing."""
    topic = broker.topic(partitions=2)
    heard = Heard()
    reader = broker.reader(topic, heard=heard)
    broker.until(lambda: len(heard.owned) == 2, reader)
    held = Partition(topic, 0)
    reader.pause([held])
    broker.write(*(Outgoing(topic=topic, key=b"%d" % n, value=b"x") for n in range(60)))
    total = {one: span.end for one, span in reader.spans(heard.owned).items()}
    others = read(reader, total[Partition(topic, 1)])
    assert {one.partition for one in others} == {Partition(topic, 1)}
    assert reader.poll(0.3, 100) == {}
    reader.resume([held])
    assert [one.offset for one in read(reader, total[held])] == list(range(total[held]))


def test_a_seek_goes_back_and_reads_again(broker: Broker) -> None:
    """After a failed transaction the same messages are to come again."""
    topic = broker.topic(partitions=1)
    broker.write(*(Outgoing(topic=topic, key=None, value=b"%d" % n) for n in range(10)))
    reader = broker.reader(topic)
    read(reader, 10)
    reader.seek(Partition(topic, 0), 4)
    assert [one.offset for one in read(reader, 6)] == list(range(4, 10))


def test_spans_tell_the_first_and_the_next_offset(broker: Broker) -> None:
    """The lag that people watch is made of them."""
    topic = broker.topic(partitions=2)
    broker.write(*(Outgoing(topic=topic, key=b"one", value=b"x") for _ in range(9)))
    partitions = [Partition(topic, 0), Partition(topic, 1)]
    spans = broker.reader(topic).spans(partitions)
    assert sorted((one.start, one.end) for one in spans.values()) == [(0, 0), (0, 9)]
    assert broker.admin().spans(partitions) == spans


@pytest.mark.parametrize("offset", [2, 90])
def test_an_offset_that_the_log_does_not_hold_is_an_error(broker: Broker, offset: int) -> None:
    """Deleted messages, or another log under the old name: to go on in silence would hide a gap."""
    topic = broker.topic(partitions=1)
    broker.write(*(Outgoing(topic=topic, key=None, value=b"%d" % n) for n in range(10)))
    partition = Partition(topic, 0)
    broker.trim(partition, 5)
    reader = broker.reader(topic, heard=Heard(offsets={partition: offset}))
    with pytest.raises(OffsetGoneError) as raised:
        broker.until(lambda: False, reader)
    assert raised.value.offsets == {partition: offset}
    assert reader.spans([partition])[partition].start == 5
    reader.seek(partition, 5)
    assert [one.offset for one in read(reader, 5)] == list(range(5, 10))


def test_a_second_reader_takes_over_only_its_share(broker: Broker) -> None:
    """A worker more must not stop those that work: what stays is neither revoked nor read anew."""
    topic = broker.topic(partitions=4)
    one, two = Heard(), Heard()
    first = broker.reader(topic, heard=one)
    broker.until(lambda: len(one.owned) == 4, first)
    second = broker.reader(topic, heard=two)
    broker.until(lambda: len(one.owned) == 2 and len(two.owned) == 2, first, second)
    assert not one.owned & two.owned
    given = [gone for word, gone in one.log if word == "revoked"]
    assert frozenset().union(*given) == two.owned
    assert "lost" not in one.words()
    second.close()
    broker.until(lambda: len(one.owned) == 4, first)
    assert two.words()[-1] == "revoked"


def test_what_was_paused_stays_paused_when_others_come(broker: Broker) -> None:
    """A rebalance must not push a worker that is full."""
    topic = broker.topic(partitions=4)
    one, two = Heard(), Heard()
    first = broker.reader(topic, heard=one)
    broker.until(lambda: len(one.owned) == 4, first)
    first.pause(one.owned)
    second = broker.reader(topic, heard=two)
    broker.until(lambda: len(one.owned) == 2 and len(two.owned) == 2, first, second)
    broker.write(*(Outgoing(topic=topic, key=b"%d" % n, value=b"x") for n in range(40)))
    assert first.poll(0.5, 100) == {}


def test_who_was_not_heard_of_hears_that_its_partitions_are_lost(broker: Broker) -> None:
    """A frozen worker that wakes up must write nothing: another has gone on."""
    topic = broker.topic(partitions=2)
    heard = Heard()
    reader = broker.reader(topic, heard=heard)
    broker.until(lambda: len(heard.owned) == 2, reader)
    broker.expire(reader)
    broker.until(lambda: "lost" in heard.words() and len(heard.owned) == 2, reader)
    assert heard.words() == ["assigned", "lost", "assigned"]


def test_what_a_rebalance_raises_comes_out_of_poll(broker: Broker) -> None:
    """A state that cannot be loaded has to stop the worker, not to be logged and passed over."""
    topic = broker.topic(partitions=1)
    heard = Heard(fails=ZeroDivisionError("no state"))
    reader = broker.reader(topic, heard=heard)
    with pytest.raises(ZeroDivisionError, match="no state"):
        broker.until(lambda: False, reader)
    heard.fails = None


def test_commits_are_for_those_who_watch(broker: Broker) -> None:
    """Tools that watch lag read the group's offsets."""
    topic = broker.topic(partitions=1)
    broker.write(Outgoing(topic=topic, key=None, value=b"x"))
    reader = broker.reader(topic)
    read(reader, 1)
    reader.commit({Partition(topic, 0): 1})
    assert broker.committed(reader) == {Partition(topic, 0): 1}


def test_topics_are_described_as_they_were_made(broker: Broker) -> None:
    """`serinus topics create` compares what is there with what the configuration says."""
    name = broker.topic(partitions=3, config={"retention.ms": "3600000"})
    admin = broker.admin()
    described = admin.describe([name, "absent"])
    wanted = Topic(name=name, partitions=3, replication=1, config={"retention.ms": "3600000"})
    assert described == {name: wanted}


def test_a_topic_is_made_once(broker: Broker) -> None:
    """Two who make it at once must not think that both have."""
    name = broker.topic(partitions=1)
    with pytest.raises(BrokerError, match=name):
        broker.admin().create([Topic(name=name, partitions=1, replication=1)])


def test_more_copies_than_brokers_are_refused(broker: Broker) -> None:
    """The one who sets it up is told, rather than left with a topic that cannot be written."""
    with pytest.raises(BrokerError, match=r"copies|[Rr]eplication"):
        broker.admin().create([Topic(name="wide", partitions=1, replication=3)])


def test_a_topic_that_is_absent_is_named(broker: Broker) -> None:
    """What is missing, and what makes it."""
    with pytest.raises(BrokerError, match="nowhere"):
        broker.write(Outgoing(topic="nowhere", key=None, value=b"x"))


def test_a_message_that_is_too_long_is_refused_by_itself(broker: Broker) -> None:
    """Those beside it are written, and sending it again would not help."""
    topic = broker.topic(partitions=1)
    writer = broker.writer()
    writer.send(Outgoing(topic=topic, key=None, value=b"before"))
    with pytest.raises(BrokerError) as raised:
        writer.send(Outgoing(topic=topic, key=None, value=bytes(5 * 2**20)))
    assert not raised.value.retryable
    writer.flush(PATIENCE_S)
    assert [one.value for one in read(broker.reader(topic), 1)] == [b"before"]
