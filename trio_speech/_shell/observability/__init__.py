"""What the package tells operators: log records and OpenTelemetry."""
