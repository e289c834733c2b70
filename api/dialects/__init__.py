"""Dialects: rollout controllers ask in their own words, and hear the answer in them."""
