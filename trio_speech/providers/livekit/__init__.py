"""The LiveKit inference gateway: its protocol, its models, its credentials, and the `LiveKit` backend."""

from __future__ import annotations

from .backend import LiveKit

__all__ = ["LiveKit"]
