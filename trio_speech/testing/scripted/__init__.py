"""The scripted gateway: a speech service for tests, whose behavior and faults are set by the test."""
