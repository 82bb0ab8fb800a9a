"""The core without I/O: state machines, records and decisions. It imports no trio; time is an argument."""
