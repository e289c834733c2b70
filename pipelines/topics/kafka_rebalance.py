"""The library's callbacks of a rebalance, passed on where they may take their time."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kafka import AsyncConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.future import Future

from pipelines.topics.port import Begin, Partition, Rebalance

__all__ = ["Listener"]


class Listener(AsyncConsumerRebalanceListener):  # type: ignore[misc]
    """Tells a `Rebalance`, and moves to the offsets that it answers.

    The library calls from the thread that sends its heartbeats, while `poll` or `close` wait for
    it: whoever loads a state in there for longer than a session is thought dead. So the work is
    done by a thread of its own and awaited, and heartbeats go on.
    """

    def __init__(self, consumer: KafkaConsumer, rebalance: Rebalance, begin: Begin) -> None:
        self._consumer, self._rebalance, self._begin = consumer, rebalance, begin
        self._beside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rebalance")
        self.failed: BaseException | None = None

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Go to the offset that is kept of each, or to where one begins."""
        offsets = await self._ask(self._rebalance.assigned, _ours(assigned))
        for partition in assigned:
            if partition in offsets:
                self._consumer.seek(partition, offsets[partition])
            elif self._begin is Begin.EARLIEST:
                self._consumer.seek_to_beginning(partition)
            else:
                self._consumer.seek_to_end(partition)

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Wait until what is held of them is written: then they go to another."""
        await self._ask(self._rebalance.revoked, _ours(revoked))

    async def on_partitions_lost(self, lost: Collection[TopicPartition]) -> None:
        """They are another's already."""
        await self._ask(self._rebalance.lost, _ours(lost))

    def close(self) -> None:
        """End the thread."""
        self._beside.shutdown(wait=True)

    async def _ask(self, method: Callable[..., Any], partitions: frozenset[Partition]) -> Any:  # noqa: ANN401 - what the method answers
        answer = Future()
        self._beside.submit(self._call, method, partitions, answer)
        return await answer

    def _call(
        self, method: Callable[..., Any], partitions: frozenset[Partition], answer: Future
    ) -> None:
        try:
            value = method(partitions)
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
            self.failed = failed = error
            self._resolve(lambda: answer.failure(failed))
        else:
            self._resolve(lambda: answer.success(value))

    def _resolve(self, done: Callable[[], object]) -> None:
        # In the loop's own thread: a future that another thread resolves does not wake the loop.
        self._consumer._net.call_soon_threadsafe(done)


def _ours(partitions: Collection[TopicPartition]) -> frozenset[Partition]:
    return frozenset(Partition(*partition) for partition in partitions)
