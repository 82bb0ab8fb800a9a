"""``trio-speech serve``: the embedded gateway over TCP, for any client of its protocol."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Iterable, Mapping

import trio
from rich.markup import escape

from trio_speech import ConfigurationError
from trio_speech._shell.concurrency.one_exception import one_exception
from trio_speech.gateway import serve
from trio_speech.providers._handshake import is_loopback

from .exits import messages


class _Announcement:
    """Says where it listens, and what a client is to be told."""

    def __init__(self, host: str, *, guarded: bool) -> None:
        self._host = f"[{host}]" if ":" in host else host
        self._guarded = guarded

    def started(self, value: int | None = None) -> None:
        address = escape(f"http://{self._host}:{value}/v1")
        messages.print(f"[green]serving:[/] LIVEKIT_INFERENCE_URL={address}", soft_wrap=True)
        messages.print("with the keys given" if self._guarded else "to everybody who can reach it; any key will do")
        messages.print("Ctrl-C ends it.")


async def serve_tcp(host: str, port: int, keys: Mapping[str, str]) -> None:
    """Serves until SIGINT or SIGTERM comes. Raises `ConfigurationError` where it cannot, or would let strangers in.

    Signals are received as events: Python ignores SIGINT in what a shell runs in the background, and a
    `KeyboardInterrupt` is lost where it strikes a finalizer.
    """
    if not keys and not is_loopback(host):
        raise ConfigurationError(f"others can reach the gateway on {host}: give it --key KEY:SECRET, behind TLS")
    announcement = _Announcement(host, guarded=bool(keys))
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals, trio.CancelScope() as serving:
        async with one_exception() as guard:
            guard.nursery.start_soon(_end_on, signals, serving)
            await serve(host, port, keys=keys or None, task_status=announcement)


async def _end_on(signals: AsyncIterator[int], serving: trio.CancelScope) -> None:
    async for number in signals:
        serving.cancel(reason=f"signal {number}")
        return


def parse_keys(pairs: Iterable[str]) -> dict[str, str]:
    """``KEY:SECRET`` each. Raises `ConfigurationError`, which does not repeat what it was given."""
    parsed: dict[str, str] = {}
    for pair in pairs:
        key, mark, secret = pair.partition(":")
        if not (key and mark and secret):
            raise ConfigurationError("a --key is KEY:SECRET, neither of them empty")
        parsed[key] = secret
    return parsed
