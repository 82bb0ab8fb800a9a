"""The two endpoints of the scripted gateway: what it answers to each message of a client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from .._core.dialogue import Aligned, Audio, Done, Hypothesis, Onset, Unknown
from ..errors import ProtocolError
from ..events import Word
from ..providers._union import TaggedUnion
from ..providers.livekit import wire
from .conversation import Conversation, Outgoing
from .recogniser import Manner, Recogniser, Wait
from .recogniser import Said as Recognised
from .synthesiser import Delivery, Spelling, Synthesiser, Uttered

_BAD_REQUEST = 400
_KINDS: dict[str, type[wire.Transcript]] = {
    "interim": wire.InterimTranscript,
    "preflight": wire.PreflightTranscript,
    "final": wire.FinalTranscript,
}

Message = TypeVar("Message", bound=wire.Said)


async def recognise(conversation: Conversation, manner: Manner) -> None:
    """Serves recognition on one connection, until the session is closed or the client gone (`LinkDown`)."""
    create = await _next(conversation, wire.stt_from_client)
    if not isinstance(create, wire.SttCreate):
        return await _refuse(conversation, "the first message must be session.create")
    visit = conversation.visit
    visit.model, visit.language = create.model or None, create.settings.language or None
    visit.options = dict(create.settings.extra or {})
    visit.sample_rate = conversation.script.sample_rate = int(create.settings.sample_rate)
    recogniser = Recogniser(manner, visit.sample_rate, visit.number)
    await conversation.happened("create")
    await conversation.say([wire.SessionCreated(conversation.session_id)])
    while True:
        match await _next(conversation, wire.stt_from_client):
            case wire.InputAudio(audio):
                await _hear(conversation, recogniser, audio)
                await conversation.happened("audio")
            case wire.SessionFinalize():
                await conversation.happened("finalize")
                if not conversation.deaf:
                    await conversation.say(_transcripts(conversation, recogniser.finalize()))
            case wire.SessionUpdate():
                await conversation.happened("update")
            case wire.SessionClose():
                await conversation.happened("close")
                if not conversation.deaf:
                    return await _take_leave(conversation)
            case wire.SttCreate():
                return await _refuse(conversation, "a second session.create")


async def _hear(conversation: Conversation, recogniser: Recogniser, audio: bytes) -> None:
    script = conversation.script
    while audio and not conversation.deaf:
        size = int(min(len(audio) // 2, script.room("heard")))
        piece, audio = audio[: 2 * size], audio[2 * size :]
        conversation.visit.audio += piece
        await conversation.say(_transcripts(conversation, recogniser.hear(piece)))
        script.word(recogniser.begun, recogniser.into)
        await conversation.happened("heard", size)


def _transcripts(conversation: Conversation, said: Iterable[Recognised]) -> Iterator[Outgoing]:
    for message in said:
        match message:
            case Hypothesis():
                yield _transcript(message, conversation.session_id)
            case Onset():
                yield wire.StartOfSpeech()
            case Wait():
                yield message
            case _:
                yield wire.SessionFinalized()


def _transcript(hypothesis: Hypothesis, session_id: str) -> wire.Transcript:
    return _KINDS[hypothesis.kind](
        session_id=session_id,
        transcript=hypothesis.text,
        language=hypothesis.language,
        start=hypothesis.start,
        duration=hypothesis.end - hypothesis.start,
        confidence=hypothesis.confidence,
        words=tuple(wire.Word(word.text, word.start, word.end, word.confidence) for word in hypothesis.words),
    )


async def synthesise(conversation: Conversation, delivery: Delivery, synthesis: Iterator[int]) -> None:
    """Serves synthesis on one connection, until the session is closed or the client gone (`LinkDown`)."""
    create = await _next(conversation, wire.tts_from_client)
    if not isinstance(create, wire.TtsCreate):
        return await _refuse(conversation, "the first message must be session.create")
    visit = conversation.visit
    visit.model, visit.language, visit.options = create.model or None, create.language or None, dict(create.extra or {})
    visit.sample_rate = conversation.script.sample_rate = int(create.sample_rate)
    voice = Synthesiser(delivery, visit.sample_rate, synthesis)
    await conversation.happened("create")
    await conversation.say([wire.SessionCreated(conversation.session_id)])
    while True:
        match await _next(conversation, wire.tts_from_client):
            case wire.InputTranscript(text):
                await conversation.happened("text")
                if not conversation.deaf:
                    await conversation.say(_sounds(conversation, voice.speak(text)))
            case wire.SessionFlush():
                await conversation.happened("flush")
                if not conversation.deaf:
                    await conversation.say(_sounds(conversation, voice.flush()))
            case wire.SessionClose():
                await conversation.happened("close")
                if not conversation.deaf:
                    return await _take_leave(conversation)
            case wire.TtsCreate():
                return await _refuse(conversation, "a second session.create")


def _sounds(conversation: Conversation, uttered: Iterable[Uttered]) -> Iterator[Outgoing]:
    session_id = conversation.session_id
    for message in uttered:
        match message:
            case Audio(pcm):
                yield wire.OutputAudio(audio=pcm, session_id=session_id)
            case Aligned(words):
                yield wire.OutputAlignment(session_id, tuple(_aligned(wire.AlignedWord, words)))
            case Spelling(characters):
                yield wire.OutputAlignment(session_id, (), tuple(_aligned(wire.AlignedChar, characters)))
            case Done():
                yield wire.Done(session_id)
            case Wait():
                yield message


Aligned_ = TypeVar("Aligned_", wire.AlignedWord, wire.AlignedChar)


def _aligned(kind: type[Aligned_], words: Iterable[Word]) -> Iterator[Aligned_]:
    return (kind(word.text, word.start, word.end) for word in words)


async def _take_leave(conversation: Conversation) -> None:
    await conversation.say([wire.SessionClosed(conversation.session_id)])
    await conversation.said_all()
    await conversation.close()


async def _refuse(conversation: Conversation, complaint: str) -> None:
    conversation.visit.complaints.append(complaint)
    await conversation.say([wire.Error(complaint, _BAD_REQUEST, conversation.session_id)])
    await conversation.said_all()
    await conversation.close(1002, complaint)


async def _next(conversation: Conversation, union: TaggedUnion[Message]) -> Message:
    """The next message that this protocol knows; what it does not know is put on record."""
    while True:
        try:
            message = union.decode(await conversation.next_frame())
        except ProtocolError as error:
            conversation.visit.complaints.append(str(error))
            continue
        if isinstance(message, Unknown):
            conversation.visit.complaints.append(f"unknown message {message.tag}")
            continue
        samples = len(message.audio) // 2 if isinstance(message, wire.InputAudio) else 0
        text = message.transcript if isinstance(message, wire.InputTranscript) else ""
        conversation.note("client", message, samples, text)
        return message
