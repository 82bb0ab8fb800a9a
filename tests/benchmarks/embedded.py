"""The embedded gateway as a service of the benchmarks: prints its port, then answers each ``figures`` of its input.

It tells the CPU seconds of its own process, and those of its recognizer's, which are its children (Linux's ``/proc``).
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from functools import partial
from pathlib import Path

import trio

from trio_speech.gateway import open_recognizer, serve

MOST = 16
_PARENT, _TICKS = 1, slice(11, 13)  # fields of /proc/*/stat behind the command's name: ppid; utime and stime


def of_children() -> float:
    """CPU seconds of all children so far, those that have ended included."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[_PARENT]) == os.getpid():
            ticks += sum(map(int, fields[_TICKS]))
    return ended.ru_utime + ended.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


async def main() -> None:
    async with open_recognizer(sessions=MOST, warm=MOST) as recognizer, trio.open_nursery() as nursery:
        port = await nursery.start(partial(serve, recognizer=recognizer))
        print(port, flush=True)
        while await trio.to_thread.run_sync(sys.stdin.readline):
            figures = {"gateway": time.process_time(), "recognizer": of_children(), "at": time.monotonic()}
            print(json.dumps(figures), flush=True)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
