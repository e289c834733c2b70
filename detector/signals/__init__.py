"""What is judged: signals, the packs that know metric names, and the plan bound to one service."""
