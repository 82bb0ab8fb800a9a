"""The pure core: state machines, ledgers and decisions. It imports no trio and reads no clock: time is an argument."""
