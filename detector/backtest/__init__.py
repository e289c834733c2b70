"""Past rollouts, and pods that changed nothing, through the gate: what it would have done."""
