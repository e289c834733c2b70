"""The stream: columns of samples in, anomalies out; operators that hold all their state."""
