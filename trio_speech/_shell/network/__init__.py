"""Dialing, failing over and reconnecting, for both kinds of session."""
