"""The fixtures that users of the package get from its pytest plugin, also where it is not installed."""

from __future__ import annotations

pytest_plugins = ["trio_speech.testing.plugin"]
