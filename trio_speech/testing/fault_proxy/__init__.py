"""A fault proxy that stands between any client and any service, and breaks their connections as a plan says."""

from __future__ import annotations

from .plan import ProxyPlan, read_plan
from .proxy import Happening, Proxy, open_proxy

__all__ = ["Happening", "Proxy", "ProxyPlan", "open_proxy", "read_plan"]
