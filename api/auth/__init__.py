"""Who may ask: tokens, hosts, and the doors of controllers that cannot send a header."""
