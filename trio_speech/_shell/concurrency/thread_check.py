"""Checks that a session is used from trio's thread only: callbacks of audio libraries often run in another one."""

from __future__ import annotations

from threading import get_ident


class ThreadCheck:
    """Remembers the thread in which it was made."""

    __slots__ = ("ident",)

    def __init__(self) -> None:
        self.ident = get_ident()

    def check(self) -> None:
        """Raises `RuntimeError` in any other thread. Call it before anything is changed."""
        if get_ident() != self.ident:
            raise RuntimeError(
                "a session was used from another thread than trio's: there, call "
                "trio.from_thread.run_sync(method, …, trio_token=token), with a token taken in trio's thread by "
                "trio.lowlevel.current_trio_token()"
            )
