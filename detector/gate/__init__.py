"""The gate: from raw samples of one rollout to its verdict."""
