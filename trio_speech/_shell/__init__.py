"""The shell: all code that waits. It does I/O on trio, and asks the core (`_core`, which does no I/O) what to do."""
