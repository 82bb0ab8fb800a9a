"""``python -m trio_speech``: the same as the command ``trio-speech``."""

from __future__ import annotations

from .cli import main

main()
