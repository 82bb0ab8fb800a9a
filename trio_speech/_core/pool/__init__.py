"""The decisions of the connection pool, without I/O: which connection is dialed, leased and closed, and when."""
