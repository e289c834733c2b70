"""Every constant of the single-series model, in one place: the same for all series."""

from __future__ import annotations

# Samples before the first score; until then a sample teaches everything.
LEARN = 100
# While it is learned: the farthest that one sample is believed, in edges, unless two were as far
# out before; after how many samples one that follows another as far out waits; and how many in a
# row beyond the edge on one side, among the very first and later, mean that the start was another
# level, and is forgotten. A shift of a series younger than YOUNG, or by more than is believed, is
# such a start, too; so a run of AWAY does not widen its edge.
BELIEVED, WAIT, AWAY_LEAST, AWAY, YOUNG = 8.0, 10, 4, 16, 2000
# Memories in samples: of the near level, the level, and both windows whose means are judged.
NEAR, LEVEL, SHORT, LONG = 8.0, 1000.0, 10.0, 50.0
TREND = 0.1
# Share of a statistic that lies beyond its edge, and how fast the edge follows.
RARE, FOLLOW = 0.02, 0.004
# Tails: what is believed before any was seen, for how many exceedances' worth, the memory in
# exceedances, the most that one may teach, the least.
TAIL, TAIL_PRIOR, TAIL_MEMORY, TAIL_MOST, TAIL_LEAST = 0.2, 30.0, 60.0, 4.0, 0.05
# Of what hardly ever moves nothing tells how far is far: an edge below FAINT floors is none yet.
# The first that is farther out than LIFT beyond it counts as that, and the edge is put that far
# below it (LIFTED is e to the -LIFT). A sample below STILL of its edge did not move, and teaches
# no edge to be narrower: what is zero but now and then would else forget how far it moves. The
# near level moves no farther than the wide edge where that is none yet, and a second sample in a
# row that moves teaches no tail: an outage is no less odd for lasting.
FAINT, LIFT, LIFTED, STILL = 2.0, 0.5, 0.6065306597126334, 1e-3
# A sample moves levels as if it were no farther out than this many edges.
CLIP = 2.0
# Edges are never below this share of the level, nor below an absolute least.
FLOOR, LEAST = 1e-4, 1e-12
# Weights of the point, the short and the long window in the score.
POINT_WEIGHT, SHORT_WEIGHT, LONG_WEIGHT = 0.4, 1.0, 1.5
# What a day's greatest score usually is: of the first day, which has to be half a day at least and
# teaches nothing, as edges and hours are not known yet; what is believed after it, memory in days,
# the most that one day teaches, and what is added to it.
TYPICAL_FIRST, TYPICAL_FIRST_S = 3.5, 43_200.0
TYPICAL, TYPICAL_MEMORY, TYPICAL_MOST, TYPICAL_BASE = 2.4, 10.0, 4.0, 0.5
# A sample teaches the hour as if it were no farther out than this many edges.
HOUR_CLIP = 8.0
# Samples in a row beyond the wide edge, on one side, after which the level has moved.
SHIFT = 600
# The profile: how fast hours of the day and of the week are learned, how fast trust in them fades,
# what their worth must exceed, the resolution against the wide edge, the largest number kept.
DAY_RATE, WEEK_RATE, FADE, DOUBT, GRAIN, LARGEST = 0.2, 0.3, 0.99, 1.4, 256.0, 32_000.0
# A gap is this many steps; the step follows this fast.
GAP, STEP_RATE = 3.5, 0.1
# Larger values are no measurements.
INFINITE = 1e30
# Bins of a score in the pool: so many to 1.
GRAIN_SCORE = 16.0
# Grains of a score, so many to 1, and the highest: what an excursion reached is kept in them.
GRAINS, GRAINS_MOST = 128, 2040.0
WATCHED_MS = 3_600_000
# One in the counts of the pool: they are halved now and then, and a tail is made of single ones.
ONE = 1 << 20
