"""A partitioned log, Kafka's or a fake: what is read from topics, written to them, and set up."""
