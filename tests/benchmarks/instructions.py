"""How many instructions a frame of audio takes, from `capture` to the bytes for the socket: a figure without noise.

    python tests/benchmarks/instructions.py [--keep]

Counted by valgrind, in processes of their own, as the difference between many frames and few. The figure of record for
each interpreter, as it was built, is in instructions.json (``--keep`` writes it there); more than 5 % above it is a
failure. Without valgrind, or without such a figure, there is nothing to hold on to, which is said and is no failure.
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
from pathlib import Path

RECORD = Path(__file__).with_name("instructions.json")
SLACK = 1.05
FEW, MANY = 200, 1_200
OPTIMISED = "optimised" if "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "") else "plain"
BUILD = (
    f"{platform.python_implementation()} {platform.python_version()} {platform.machine()}, "
    f"{platform.python_compiler()}, {OPTIMISED}"
)
COUNTED = re.compile(r"I +refs: +([\d,]+)")
COUNTING = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")


def frames(count: int) -> None:
    """The path of `count` frames: five pushes of 20 ms for every two frames of 50 ms, a final every two seconds."""
    import trio_speech as ts
    from trio_speech._core.dialogue import TranscribeRequest
    from trio_speech._core.leg import Leg
    from trio_speech._core.recognition import Recognition
    from trio_speech._shell.framing import client_frame
    from trio_speech.providers.livekit.models import STT_PROFILES
    from trio_speech.providers.livekit.stt import LiveKitSttCodec

    audio_format = ts.AudioFormat.pcm16(16_000)
    session = Recognition(audio_format, ts.ReplayPolicy())
    leg = Leg(session, STT_PROFILES["deepgram"], 0.0, patience=10.0, progress_timeout=60.0)
    codec = LiveKitSttCodec(TranscribeRequest(audio_format=audio_format), "")
    piece = bytes(range(256)) * 2 + bytes(128)
    done = 0
    while done < count:
        session.capture(piece)
        if session.log.captured >= leg.stirs_at() and (pcm := leg.next_audio(0.0, 1)):
            client_frame(codec.audio(*pcm))
            done += 1
            if done % 40 == 0:
                session.commit(session.log.sent)
                leg.next(0.0)


def counted(count: int) -> int:
    """Instructions of a process that does so many frames."""
    command = [*COUNTING, sys.executable, __file__, str(count)]
    env = os.environ | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=300)
    found = COUNTED.search(done.stderr)
    if found is None:
        raise SystemExit(f"valgrind told no count: {done.stderr[-500:]}")
    return int(found[1].replace(",", ""))


def main() -> None:
    if shutil.which("valgrind") is None:
        print("instructions a frame: NOT COUNTED, for valgrind is not installed")
        return
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    figure = (counted(MANY) - counted(FEW)) // (MANY - FEW)
    known = record.get(BUILD)
    print(f"instructions a frame: {figure:,} ({BUILD})")
    if "--keep" in sys.argv:
        RECORD.write_text(json.dumps(record | {BUILD: figure}, indent=2) + "\n")
    elif known is None:
        print("NOT COMPARED, for there is no figure of record of this interpreter: --keep makes it one")
    elif figure > SLACK * known:
        raise SystemExit(f"{figure / known - 1:.1%} above the figure of record, {known:,}: more than 5 %")
    else:
        print(f"{figure / known - 1:+.1%} to the figure of record, {known:,}")


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1].isdigit():
        frames(int(sys.argv[1]))
    else:
        main()
