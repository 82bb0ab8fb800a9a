"""The speech service itself: the LiveKit inference wire over any stream."""
