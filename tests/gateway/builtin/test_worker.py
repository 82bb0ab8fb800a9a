"""What a worker answers, without a process: one reply to each request, whatever the request."""

from __future__ import annotations

import os
import subprocess
import sys
from array import array
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from trio_speech.gateway import Declined, RecognitionOptions, SpokenWord
from trio_speech.gateway.builtin import espeak, hibari, worker
from trio_speech.gateway.builtin.messages import (
    HEADER,
    AudioReply,
    AudioRequest,
    FinalizeRequest,
    MoreRequest,
    ReadyReply,
    RefusedReply,
    Reply,
    Request,
    ResultsReply,
    SpeakRequest,
    SpokenReply,
    StartRequest,
    pack,
    reply,
)
from trio_speech.gateway.builtin.playback import Utterance
from trio_speech.gateway.engines import Finalized

if TYPE_CHECKING:
    from typing_extensions import Buffer

SPEAK = SpeakRequest("yes", sample_rate=8_000, speed=1.0)


class FakeEngine:
    """Says a word of a tenth of a second, whatever the text, and declines what is said too fast."""

    def speak(self, text: str, speed: float) -> Utterance:
        if speed > 2:
            raise Declined("too fast")
        return Utterance(array("h", [1_000] * 800), 8_000, (SpokenWord(text, 0, 800),))


def answers(handler: worker.Handler, *requests: Request, torn: bytes = b"") -> list[Reply]:
    """All that a worker writes, to these requests and a last one that was not written whole."""
    replies = BytesIO()
    worker.run(handler, BytesIO(b"".join(map(pack, requests)) + torn), replies)
    written, frames = replies.getvalue(), []
    while written:
        end = HEADER + int.from_bytes(written[:HEADER], "big")
        frames.append(reply(written[HEADER:end]))
        written = written[end:]
    return frames


@pytest.mark.parametrize("engine", [espeak, hibari])
def test_a_voice_says_one_thing_after_another(monkeypatch: pytest.MonkeyPatch, engine: object) -> None:
    monkeypatch.setattr(engine, "EspeakEngine" if engine is espeak else "HibariEngine", FakeEngine)
    handler = worker.HANDLERS["espeak" if engine is espeak else "hibari"]()
    ready, unexpected, spoken, audio, end, again, first = answers(
        handler, MoreRequest(1.0), SPEAK, MoreRequest(1.0), MoreRequest(1.0), SPEAK, MoreRequest(0.05)
    )
    assert (ready, unexpected) == (ReadyReply(), RefusedReply("MoreRequest was not expected here"))
    assert spoken == again == SpokenReply((SpokenWord("yes", 0, 800),))
    assert isinstance(audio, AudioReply)
    assert isinstance(first, AudioReply)
    assert (len(audio.pcm), end, len(first.pcm)) == (1_600, AudioReply(b""), 800)


def test_an_unexpected_or_declined_request_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "EspeakEngine", FakeEngine)
    fast = SpeakRequest("yes", sample_rate=8_000, speed=3.0)
    replies = answers(worker.espeak(), StartRequest(RecognitionOptions(sample_rate=16_000)), fast, SPEAK)
    assert replies[1:3] == [RefusedReply("StartRequest was not expected here"), RefusedReply("too fast")]
    assert isinstance(replies[3], SpokenReply)


@pytest.mark.parametrize("torn", [b"", b"\0\0", pack(SPEAK)[:HEADER], pack(SPEAK)[:-1], b"\0\0\0\0"])
def test_a_request_that_was_not_written_whole_ends_it(torn: bytes) -> None:
    def never(request: Request) -> Reply:
        raise AssertionError(request)

    assert answers(never, torn=torn) == [ReadyReply()]


def test_a_reply_that_the_pipe_takes_in_parts_is_written_whole() -> None:
    class Reluctant(BytesIO):
        def write(self, data: Buffer) -> int:
            return super().write(bytes(data)[:3])

    replies = Reluctant()
    worker.run(lambda request: SpokenReply(()), BytesIO(pack(SPEAK)), replies)
    assert replies.getvalue() == pack(ReadyReply()) + pack(SpokenReply(()))


def test_a_recognizer_refuses_audio_before_a_start_request() -> None:
    pytest.importorskip("pocketsphinx", reason="it has no wheel for this Python")
    listen = StartRequest(RecognitionOptions(sample_rate=16_000))
    replies = answers(
        worker.pocketsphinx(),
        AudioRequest(b""),
        FinalizeRequest(),
        listen,
        AudioRequest(bytes(3_200)),
        FinalizeRequest(),
        listen,
    )
    assert replies == [
        ReadyReply(),
        RefusedReply("AudioRequest was not expected here"),
        RefusedReply("FinalizeRequest was not expected here"),
        ResultsReply(),
        ResultsReply(),
        ResultsReply((Finalized(1_600),)),
        ResultsReply(),
    ]


def test_a_worker_exits_quietly_when_nobody_reads_its_reply() -> None:
    """What it was asked is still there to be read, and nobody is there for the answer."""
    program = (
        "from trio_speech.gateway.builtin import worker; "
        "from trio_speech.gateway.builtin.messages import ResultsReply; "
        "worker.HANDLERS['any'] = lambda: lambda request: ResultsReply(); worker.main('any')"
    )
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "wb") as nobody:
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=pack(SPEAK),
            stdout=nobody,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60.0,
        )
    assert (done.returncode, done.stderr) == (0, b"")
