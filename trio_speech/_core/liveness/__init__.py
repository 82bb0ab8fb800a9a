"""Whether the other side of a connection is still there: its round trips, and the machine that judges by them."""
