"""What ``import trio_speech`` costs, against trio and trio_websocket alone: it should stay under twice their time.

Each import runs in a fresh interpreter; the figure is the least of several, which is what the machine can do.
"""

from __future__ import annotations

import subprocess
import sys

ROUNDS = 15
STATEMENTS = {
    "nothing": "pass",
    "trio, trio_websocket": "import trio, trio_websocket",
    "trio_speech": "import trio_speech",
}
PROGRAM = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"


def seconds(statement: str) -> float:
    """The import alone, without the interpreter's own start."""
    command = [sys.executable, "-c", PROGRAM.format(statement)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


def main() -> None:
    least = {name: min(seconds(statement) for _ in range(ROUNDS)) for name, statement in STATEMENTS.items()}
    for name, taken in least.items():
        print(f"{name:22} {taken * 1_000:7.1f} ms")
    ratio = least["trio_speech"] / least["trio, trio_websocket"]
    print(f"{'ratio':22} {ratio:7.2f}    (the aim: under 2)")


if __name__ == "__main__":
    main()
