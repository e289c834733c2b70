"""The doors for traces: OTLP over HTTP, protobuf and JSON, to columns of spans."""
