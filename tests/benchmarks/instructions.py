"""How many instructions a frame of audio takes: pushed, sent, and its share of what is heard. A figure without noise.

    python tests/benchmarks/instructions.py [--keep]

Counted by valgrind, in processes of their own, as the difference between many frames and few, over plain sockets and
over TLS. The figures of record for each interpreter, as it was built, and for the libraries below it are in
instructions.json (``--keep`` writes them there); more than 3 % above one is a failure. Without valgrind, or without
such a figure, there is nothing to hold on to, which is said and is no failure.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from importlib.metadata import version
from pathlib import Path

import trio
from harness import certificate, serving

import trio_speech as ts

RECORD = Path(__file__).with_name("instructions.json")
SLACK = 1.03
FEW, MANY = 200, 1_200
FRAMES_OF_A_FINAL, PUSHES_OF_A_FINAL = 40, 100
BELOW = ("trio", "trio-websocket", "msgspec", "pybase64", "websockets")
TRIES = 3
"""A count that is disturbed, by an answer that comes late, is too high; one of these is not."""
OPTIMizED = "optimized" if "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "") else "plain"
BUILD = (
    f"{platform.python_implementation()} {platform.python_version()} {platform.machine()}, "
    f"{platform.python_compiler()}, {OPTIMizED}, {', '.join(f'{name} {version(name)}' for name in BELOW)}"
)
COUNTED = re.compile(r"I +refs: +([\d,]+)")
COUNTING = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")


async def frames(address: str, count: int) -> None:
    """So many frames of 50 ms, pushed in 20 ms: an interim for each ten of them, a final for each forty."""
    piece = bytes(range(256)) * 2 + bytes(128)
    backend = ts.LiveKit(f"{address}/v1", "key", "a secret that is long enough for its purpose")
    calm = ts.LivenessPolicy(ping_interval=3_600.0)
    async with ts.open_client(backend, liveness=calm) as client, client.transcribe(model="deepgram/nova-3") as heard:
        for _ in range(count // FRAMES_OF_A_FINAL):
            for _ in range(PUSHES_OF_A_FINAL):
                heard.send_nowait(piece)
            time.sleep(0.1)  # noqa: ASYNC251  # all answers come meanwhile, and are read in one go
            while not isinstance(await anext(heard), ts.FinalTranscript):
                pass


def counted(count: int, *, tls: bool) -> int:
    """Instructions of a process that does so many frames."""
    service = ("tls_peer.py", certificate()) if tls else ("peer.py",)
    env = os.environ | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    with serving(*service) as peer:
        address = f"https://localhost:{peer.port}" if tls else f"http://127.0.0.1:{peer.port}"
        command = [*COUNTING, sys.executable, __file__, address, str(count)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=300)
    found = COUNTED.search(done.stderr)
    if found is None:
        raise SystemExit(f"valgrind told no count: {done.stderr[-500:]}")
    return int(found[1].replace(",", ""))


def each_frame(*, tls: bool) -> int:
    return (counted(MANY, tls=tls) - counted(FEW, tls=tls)) // (MANY - FEW)


def main() -> None:
    if shutil.which("valgrind") is None:
        print("instructions a frame: NOT COUNTED, for valgrind is not installed")
        return
    for tls in (False, True):
        compare(f"{BUILD}, TLS" if tls else BUILD, tls=tls)


def compare(name: str, *, tls: bool) -> None:
    """Counts, and holds the figure against the one of record under `name`."""
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    known = record.get(name)
    figure = each_frame(tls=tls)
    tries = 1
    while known is not None and figure > SLACK * known and tries < TRIES:
        figure, tries = min(figure, each_frame(tls=tls)), tries + 1
    print(f"instructions a frame: {figure:,} ({name})")
    if "--keep" in sys.argv:
        RECORD.write_text(json.dumps(record | {name: figure}, indent=2) + "\n")
    elif known is None:
        print("NOT COMPARED, for there is no figure of record of this interpreter: --keep makes it one")
    elif figure > SLACK * known:
        raise SystemExit(f"{figure / known - 1:.1%} above the figure of record, {known:,}: more than 3 %")
    else:
        print(f"{figure / known - 1:+.1%} to the figure of record, {known:,}")


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1].startswith("http"):
        trio.run(frames, sys.argv[1], int(sys.argv[2]))
    else:
        main()
