"""Deepgram's live recognition: its protocol, and the `Deepgram` backend."""

from __future__ import annotations

from .backend import Deepgram

__all__ = ["Deepgram"]
