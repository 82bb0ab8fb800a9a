"""Cartesia: the wire of its speech synthesis, and the `Cartesia` backend."""

from __future__ import annotations

from .backend import Cartesia

__all__ = ["Cartesia"]
