"""Deepgram: the protocols of its live recognition and of its voices, and the `Deepgram` backend."""

from __future__ import annotations

from .backend import Deepgram

__all__ = ["Deepgram"]
