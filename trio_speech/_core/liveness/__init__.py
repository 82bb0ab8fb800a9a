"""Decides whether the peer of a connection is still alive, from the pings, pongs and round trips of the connection."""
