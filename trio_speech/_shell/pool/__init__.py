"""The pool of connections for synthesis: dials them, leases them to sessions, pings and closes them."""
