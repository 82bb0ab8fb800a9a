"""The built-in engines, in worker processes."""
