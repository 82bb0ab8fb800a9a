"""The speech service itself: it serves the LiveKit inference protocol over any stream."""
