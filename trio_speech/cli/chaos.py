"""``trio-speech chaos``: a fault proxy, and on standard error what it does to which connection and when."""

from __future__ import annotations

import signal
from pathlib import Path

import trio
from rich.markup import escape

from trio_speech import ConfigurationError
from trio_speech.providers._handshake import is_loopback
from trio_speech.testing.fault_proxy.proxy import Happening, ProxyPlan, open_proxy, read_plan

from .exits import messages

Address = tuple[str, int]


async def relay(listen: Address, upstream: Address | None, plan: ProxyPlan) -> None:
    """Carries connections until SIGINT or SIGTERM comes, to where each asks for if there is no `upstream`.

    Raises `ConfigurationError` where it cannot listen, and where strangers could reach everything through it.
    """
    if upstream is None and not is_loopback(listen[0]):
        raise ConfigurationError(f"others could reach everything through {listen[0]}: name the --upstream")
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
    """The plan in a TOML file. Raises `OSError`, and `ConfigurationError` that says where the file is wrong."""
    try:
        return read_plan(Path(name).read_text(encoding="utf-8"), name)
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{name} is no plan for a proxy: it is not UTF-8 ({error.reason})") from None


def parse_address(text: str) -> Address:
    """``HOST:PORT``, or ``[HOST]:PORT`` where the host is an IPv6 address. Raises `ConfigurationError`."""
    host, _, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    plain = host[1:-1] if bracketed else host
    sound = port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 65_536
    if not plain or (":" in plain) != bracketed or not sound:
        raise ConfigurationError(f"{text!r} is no address: use HOST:PORT, such as 127.0.0.1:9000 or [::1]:9000")
    return plain, int(port)


def _tell(happening: Happening) -> None:
    messages.print(escape(str(happening)), soft_wrap=True)


def _text(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
