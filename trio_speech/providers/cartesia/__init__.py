"""Cartesia's speech synthesis: its protocol, and the `Cartesia` backend."""

from __future__ import annotations

from .backend import Cartesia

__all__ = ["Cartesia"]
