"""What every test shares: Hypothesis profiles, chosen by HYPOTHESIS_PROFILE or by CI=true."""

from __future__ import annotations

import os
from datetime import timedelta

from hypothesis import HealthCheck, settings

# No deadline: a shared machine pauses a process for longer than any example takes.
settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("default", max_examples=100, deadline=None)
settings.register_profile(
    "ci",
    max_examples=200,
    deadline=None,
    derandomize=True,  # a red build names a commit, not a draw
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("soak", max_examples=5000, deadline=timedelta(seconds=30))

settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE")
    or ("ci" if os.environ.get("CI", "").lower() == "true" else "default")
)
