"""What is believed of faults before anything is seen of one."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Probabilities, one set for all systems.

    `incident`: that there is a cause to find at all. `passed`: that a caller feels trouble of a
    callee, where amounts agree. `hidden`: that a service is odd for a reason that nobody knows of,
    such as a call that is in no graph; several beliefs, each as likely as the others. `stray`: that
    one is odd with no fault anywhere. `aside`: that what is complained of is not the kind of
    measurement by which the cause shows.
    """

    incident: float = 0.5
    passed: float = 0.6
    hidden: tuple[float, ...] = (0.1, 0.02, 0.004)
    stray: float = 0.00001
    aside: float = 0.135

    def __post_init__(self) -> None:
        chances = (self.incident, self.passed, self.stray, self.aside, *self.hidden)
        if not self.hidden or not all(0.0 < chance < 1.0 for chance in chances):
            raise ValueError("every belief is a probability between 0 and 1, and neither of them")
