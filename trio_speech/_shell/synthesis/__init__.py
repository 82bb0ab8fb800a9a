"""Synthesis sessions: the `Speech` that a user holds, the session's tasks, and its use of leased connections."""
