"""``trio-speech chaos``: runs a fault proxy, and prints on standard error what it does to which connection."""

from __future__ import annotations

import signal
from pathlib import Path

import trio
from rich.markup import escape

from trio_speech import ConfigurationError
from trio_speech.providers._handshake import is_loopback
from trio_speech.testing.fault_proxy import Happening, ProxyPlan, open_proxy, read_plan

from .exits import messages

Address = tuple[str, int]


async def relay(listen: Address, upstream: Address | None, plan: ProxyPlan) -> None:
    """Relays connections to `upstream` until SIGINT or SIGTERM comes. Without `upstream`, each client names its own.

    Raises `ConfigurationError` if it cannot listen there, and if it would be an open proxy for other machines.
    """
    if upstream is None and not is_loopback(listen[0]):
        # Without an upstream this is a general HTTP proxy: on a public address, anybody could use it to reach anything.
        raise ConfigurationError(
            f"--listen {listen[0]} is reachable from other machines, which could reach any address through the proxy: "
            "give --upstream, or listen on 127.0.0.1"
        )
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with open_proxy(upstream, plan, tell=_tell) as proxy:
            try:
                taken = await proxy.listen(*listen)
            except OSError as error:
                raise ConfigurationError(f"cannot listen on {_text(listen)}: {error.strerror or error}") from None
            way = f"HTTPS_PROXY=http://{_text(taken)}" if upstream is None else f"{_text(taken)} to {_text(upstream)}"
            messages.print(f"[green]relaying:[/] {escape(way)}", soft_wrap=True)
            messages.print("Ctrl-C ends it.")
            await anext(aiter(signals))


def load_plan(name: str) -> ProxyPlan:
    """Reads the plan in a TOML file. Raises `OSError`, and `ConfigurationError` that says where the mistake is."""
    try:
        return read_plan(Path(name).read_text(encoding="utf-8"), name)
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{name} is not a valid plan for a fault proxy: not UTF-8 ({error.reason})") from None


def parse_address(text: str) -> Address:
    """Parses ``HOST:PORT``, or ``[HOST]:PORT`` for an IPv6 address. Raises `ConfigurationError`."""
    host, _, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    plain = host[1:-1] if bracketed else host
    sound = port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65_536
    if not plain or (":" in plain) != bracketed or not sound:
        raise ConfigurationError(f"{text!r} is not an address: use HOST:PORT, such as 127.0.0.1:9000 or [::1]:9000")
    return plain, int(port)


def _tell(happening: Happening) -> None:
    messages.print(escape(str(happening)), soft_wrap=True)


def _text(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
