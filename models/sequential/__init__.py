"""Anytime-valid evidence that one group of units is worse than another, however often it is read.

`rows` holds the constants of each kind of measurement, `likelihood` and `reference` turn arrays of
counts into log-likelihoods on a grid of effects, `noise` learns how units differ in health,
`warmup` keeps young units from being judged, `running` sums it up bin by bin, `evidence` and
`bound` read e-values and confidence sequences off the sums, `starts` and `shares` divide alpha.
"""
