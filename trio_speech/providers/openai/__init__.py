"""OpenAI's realtime transcription, its protocol and its look-alikes, and the `OpenAI` backend."""

from __future__ import annotations

from .backend import OpenAI

__all__ = ["OpenAI"]
