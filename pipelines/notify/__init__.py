"""Who is told: notifiers, and what takes notices from the outbox to them."""
