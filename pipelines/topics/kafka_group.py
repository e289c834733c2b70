"""A consumer whose rebalances end: three faults of kafka-python 3.0 in joining a group, mended."""

from __future__ import annotations

from typing import Any

from kafka import KafkaConsumer
from kafka.coordinator.consumer import ConsumerCoordinator
from kafka.future import Future
from kafka.structs import MemberState

__all__ = ["GroupConsumer"]


class _Coordinator(ConsumerCoordinator):  # type: ignore[misc]
    """Without it two members that poll in turn join for ever or never, or both hold a partition."""

    _join_task: Future | None

    def need_rejoin(self) -> bool:
        """Also while a join is under way.

        One that a change of the topics began is no longer wanted, to the library, once its
        assignment is made: what came of it is never told, and no heartbeat sent again.
        """
        return self._join_task is not None or bool(super().need_rejoin())

    async def join_group_async(self, timeout_ms: float | None = None) -> Any:  # noqa: ANN401
        """Take up a join that ended between two polls.

        The library forgets it and joins again: its assignment is never told, and the claims to
        what one had before carry the new generation's number.
        """
        ended = self._join_task
        if ended is not None and ended.is_done:
            self._join_task = self._again(ended) if self._holds(ended) else None
        return await super().join_group_async(timeout_ms=timeout_ms)

    def reset_generation(self, *words: Any, **more: Any) -> None:  # noqa: ANN401 - as it is
        """Have what is lost told before the next join.

        The library tells it only at the first try of a join. Who is thrown out in the midst of one
        would go on with partitions that others have.
        """
        super().reset_generation(*words, **more)
        self.rejoining = False

    def _holds(self, ended: Future) -> bool:
        """Whether its outcome is still to be told."""
        is_member = self.state is MemberState.REBALANCING and not self._generation.is_lost()
        return is_member or bool(ended.failed())

    def _again(self, ended: Future) -> Future:
        """One that ends in the same way at the loop's next turn, once it is waited for."""
        again = Future()
        self._net.call_soon(lambda: ended.chain(again))
        return again


class GroupConsumer(KafkaConsumer):  # type: ignore[misc]
    """`KafkaConsumer` with the mended coordinator."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - the library's
        super().__init__(**options)
        self._coordinator.__class__ = _Coordinator
