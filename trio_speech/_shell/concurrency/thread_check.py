"""Sessions are trio's, and belong to its thread: a callback of an audio library comes from another."""

from __future__ import annotations

from threading import get_ident


class ThreadCheck:
    """The thread in which it was made: the only one from which a session may be touched."""

    __slots__ = ("ident",)

    def __init__(self) -> None:
        self.ident = get_ident()

    def check(self) -> None:
        """Raises `RuntimeError` in any other thread, before anything is changed there."""
        if get_ident() != self.ident:
            raise RuntimeError(
                "this was called outside of the session's thread: call "
                "trio.from_thread.run_sync(method, …, trio_token=trio.lowlevel.current_trio_token()), with the token "
                "taken in trio's thread"
            )
