"""What to do after a connection has ended: its cause, the verdict on it, the retry budget, the choice of backend."""
