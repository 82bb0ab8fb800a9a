"""Loaded by the workers of a cluster on this machine, when they start: makes them ignore Ctrl-C.

It reaches all processes of a terminal. The program ends its workers itself, in good order; interrupted, each of them
would print a traceback.
"""

from __future__ import annotations

import signal


def dask_setup(worker: object) -> None:
    """Called by Dask, in the worker's main thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
