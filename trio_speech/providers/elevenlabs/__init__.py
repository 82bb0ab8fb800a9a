"""ElevenLabs: the protocol of its voices, and the `ElevenLabs` backend."""

from __future__ import annotations

from .backend import ElevenLabs

__all__ = ["ElevenLabs"]
