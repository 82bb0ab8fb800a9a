"""A session knows the thread that it belongs to."""

from __future__ import annotations

from threading import Thread

import pytest

from trio_speech._shell.concurrency.thread_check import ThreadCheck


def test_another_thread_is_refused() -> None:
    home, complaints = ThreadCheck(), list[str]()

    def elsewhere() -> None:
        with pytest.raises(RuntimeError, match="another thread than trio's") as caught:
            home.check()
        complaints.append(str(caught.value))

    home.check()
    thread = Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert complaints
