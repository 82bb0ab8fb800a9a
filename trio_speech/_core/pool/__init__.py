"""The decisions of the connection pool, as tables without I/O."""
