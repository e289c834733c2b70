"""How the operator is set: how many false alarms are wanted, and what is one excursion."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.baseline.calendar import Calendar

__all__ = ["StreamSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """Settings of one tenant's stream.

    `alarms_a_week`: false alarms that are accepted over all live series together; each series has
    an equal share of them, whatever its rhythm. An excursion is over after `calm_samples` samples
    in a row and `calm_s` seconds whose p-value is above `calm_p`, or when its series is silent for
    `silent_s`. What leaves its range again within `quiet_s` of that opens the same anomaly again.
    `warm_s` is how long series are counted before anything can alarm. A series that brings nothing
    for `forget_s` (at least an hour; of time in which there were samples) is forgotten. By the
    clocks and days off of `calendar` people live, and hours of day and week are told apart.
    """

    alarms_a_week: float = 1.0
    calm_p: float = 0.01
    calm_samples: int = 3
    calm_s: float = 120.0
    silent_s: float = 3600.0
    quiet_s: float = 43_200.0
    warm_s: float = 600.0
    forget_s: float = 604_800.0
    calendar: Calendar = field(default_factory=Calendar)

    def __post_init__(self) -> None:
        if not self.alarms_a_week > 0:
            raise ValueError(f"alarms_a_week must be above 0, not {self.alarms_a_week}")
        if not 0 < self.calm_p < 1:
            raise ValueError(f"calm_p must lie between 0 and 1, not {self.calm_p}")
