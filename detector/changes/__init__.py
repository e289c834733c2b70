"""What was changed: events of senders, and the changes that they tell of."""
