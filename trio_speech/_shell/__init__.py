"""The shell: all that waits. It does I/O on trio and decides nothing; decisions are asked of the core."""
