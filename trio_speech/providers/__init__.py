"""The providers: one folder each. A codec turns frames into messages and back, and does no I/O."""
