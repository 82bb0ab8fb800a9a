"""A fault proxy: it relays connections between any client and any service, and breaks them as a plan says.

    from trio_speech.testing.fault_proxy import open_proxy, read_plan

    plan = read_plan(Path("plan.toml").read_text())
    async with open_proxy(("speech.example", 443), plan) as proxy:
        host, port = await proxy.listen()
        ...                                     # clients dial this instead
    print(*proxy.happenings, sep="\\n")

The proxy relays bytes and does not interpret them; TLS passes through it untouched. With ``None`` in the place of the
address it is an HTTP proxy: clients that follow ``HTTPS_PROXY`` reach any service through it. In tests on virtual time
no network is needed: pass a function that opens a stream in the place of the address, and call `Proxy.connect` in the
place of `Proxy.listen`. The command ``trio-speech chaos`` runs the same proxy. See `plan` for the format of plans.
"""

from __future__ import annotations

from .plan import ProxyPlan, read_plan
from .proxy import Happening, Proxy, open_proxy

__all__ = ["Happening", "Proxy", "ProxyPlan", "open_proxy", "read_plan"]
