"""Dialing, reconnecting and failing over to another backend, for both kinds of session."""
