"""A session knows the thread that it belongs to."""

from __future__ import annotations

from threading import Thread

import pytest

from trio_speech._shell.concurrency.thread_check import ThreadCheck


def test_a_home_is_one_thread() -> None:
    home, complaints = ThreadCheck(), list[str]()

    def elsewhere() -> None:
        with pytest.raises(RuntimeError, match="outside of the session's thread") as caught:
            home.check()
        complaints.append(str(caught.value))

    home.check()
    thread = Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert complaints
