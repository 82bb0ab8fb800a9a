"""``python -m trio_speech.cli``."""

from __future__ import annotations

from . import main

main()
