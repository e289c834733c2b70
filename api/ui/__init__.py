"""The web UI: pages that a person reads at three in the morning."""
