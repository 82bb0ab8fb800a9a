"""The logger and OpenTelemetry."""
