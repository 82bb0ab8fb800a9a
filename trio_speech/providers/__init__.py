"""The providers (speech services), one package each, with a codec that translates between frames and messages."""
