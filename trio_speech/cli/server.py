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
    """The task status for `serve`: when the server listens, it prints the address and who may use it."""

    def __init__(self, host: str, *, guarded: bool) -> None:
        self._host = f"[{host}]" if ":" in host else host
        self._guarded = guarded

    def started(self, value: int | None = None) -> None:
        address = escape(f"http://{self._host}:{value}/v1")
        messages.print(f"[green]serving:[/] LIVEKIT_INFERENCE_URL={address}", soft_wrap=True)
        messages.print("Clients need one of the keys given." if self._guarded else "Any API key is accepted.")
        messages.print("Ctrl-C ends it.")


async def serve_tcp(host: str, port: int, keys: Mapping[str, str]) -> None:
    """Serves until SIGINT or SIGTERM comes.

    Raises `ConfigurationError` if it cannot listen there, and if other machines could use it without a key.
    """
    if not keys and not is_loopback(host):
        raise ConfigurationError(
            f"--host {host} is reachable from other machines: give --key KEY:SECRET, and put TLS in front of it"
        )
    announcement = _Announcement(host, guarded=bool(keys))
    # Signals are received as events, not as KeyboardInterrupt: Python ignores SIGINT in background jobs of a shell, and
    # a KeyboardInterrupt that is raised in a finalizer is lost.
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals, trio.CancelScope() as serving:
        async with one_exception() as guard:
            guard.nursery.start_soon(_end_on, signals, serving)
            await serve(host, port, keys=keys or None, task_status=announcement)


async def _end_on(signals: AsyncIterator[int], serving: trio.CancelScope) -> None:
    async for number in signals:
        serving.cancel(reason=f"signal {number}")
        return


def parse_keys(pairs: Iterable[str]) -> dict[str, str]:
    """Parses pairs ``KEY:SECRET``. Raises `ConfigurationError`, whose message does not repeat the secret."""
    parsed: dict[str, str] = {}
    for pair in pairs:
        key, mark, secret = pair.partition(":")
        if not (key and mark and secret):
            raise ConfigurationError("--key must be KEY:SECRET, and neither of them empty")
        parsed[key] = secret
    return parsed
