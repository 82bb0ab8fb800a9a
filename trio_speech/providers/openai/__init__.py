"""OpenAI's realtime transcription, servers that imitate its protocol, and the `OpenAI` backend."""

from __future__ import annotations

from .backend import OpenAI

__all__ = ["OpenAI"]
