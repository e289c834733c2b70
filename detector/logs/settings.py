"""How the detectors of logs are set: how many false alarms are wanted, and what is one story."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LogSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """Settings of one tenant's logs; spans in seconds, of time in which there were lines.

    `alarms_a_week`: stories of new error lines that each service may tell by chance, where half of
    what is told is; of slighter levels a part of it. `silences_a_week`: false silences over all
    heartbeats together. A service is learned for `learn_s`; a line that nobody wrote for `known_s`
    is new again. New lines are one story for `listen_s`, and longer while more come within
    `gather_s`, for `gather_most_s` at most; what begins within `deploy_s` of a version's first line
    is a deploy's. An anomaly is over after `calm_s` without its lines, or after `news_s`, when it
    is no news; what comes within `quiet_s` of that opens it again. Lines may come `late_s` after
    others; a clock that is `ahead_s` ahead is wrong. At most so many `templates` are known, so many
    `of_service`, and so many `services`.
    """

    alarms_a_week: float = 1.0
    silences_a_week: float = 0.5
    learn_s: float = 86_400.0
    known_s: float = 1_209_600.0
    gather_s: float = 300.0
    listen_s: float = 1800.0
    gather_most_s: float = 3600.0
    deploy_s: float = 900.0
    calm_s: float = 600.0
    news_s: float = 21_600.0
    quiet_s: float = 1800.0
    late_s: float = 60.0
    ahead_s: float = 3600.0
    templates: int = 100_000
    of_service: int = 10_000
    services: int = 5000

    def __post_init__(self) -> None:
        for name in ("alarms_a_week", "silences_a_week", "learn_s", "known_s", "templates"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")
