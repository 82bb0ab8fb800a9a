"""The two services of the scripted gateway, recognition and speech: the replies to each request, on any wire."""

from __future__ import annotations

from collections.abc import Iterator

import trio

from ..._core.provider.messages import Audio, Closed, Failure, Opened
from ..._core.provider.requests import Change, SynthesizeRequest, TranscribeRequest
from .conversation import Conversation
from .free_recognition import recognize_freely
from .manner import Manner
from .recognizer import ScriptedRecognizer
from .synthesizer import Delivery, ScriptedSynthesizer
from .truthful import TruthfulRecognizer
from .wires.protocol import Cancel, Cancelled, Changed, ClientClose, ClientFinalize, ClientFinish, Flush, Text

_BAD_REQUEST = 400


async def serve(conversation: Conversation, manner: Manner, delivery: Delivery, synthesis: Iterator[int]) -> None:
    """Serves one connection until its session is closed. Raises `LinkDown` if the client leaves before that."""
    request = await conversation.next()
    if not isinstance(request, TranscribeRequest | SynthesizeRequest):
        await _refuse(conversation, "a session must be created first")
        return
    visit, audio_format = conversation.visit, request.audio_format
    visit.model, visit.language, visit.options = request.model, request.language, dict(request.options)
    visit.audio_format, conversation.script.sample_rate = audio_format, audio_format.sample_rate
    await conversation.happened("create")
    await conversation.say([Opened(visit.session_id)])
    if isinstance(request, TranscribeRequest):
        visit.keyterms = request.keyterms
        manner = conversation.wire.manner(manner)
        if manner.freedoms is None:
            await _recognize(conversation, ScriptedRecognizer(manner, audio_format, visit.number))
        elif not await recognize_freely(conversation, TruthfulRecognizer(manner, audio_format, visit.number)):
            await _refuse(conversation, "a session is created once")
    else:
        await _synthesize(conversation, ScriptedSynthesizer(delivery, audio_format, synthesis))


async def _recognize(conversation: Conversation, recognizer: ScriptedRecognizer) -> None:
    while True:
        match await conversation.next():
            case Audio(pcm):
                await _hear(conversation, recognizer, pcm)
                await conversation.happened("audio")
            case ClientFinalize():
                await conversation.happened("finalize")
                await conversation.say(recognizer.finalize())
            case Change() as change:
                await conversation.happened("update")
                await _change(conversation, change)
            case ClientFinish() | ClientClose():
                await conversation.happened("close")
                if not conversation.ended:
                    await conversation.say(recognizer.finish())
                    return await _end_session(conversation)
            case _:
                return await _refuse(conversation, "a session is created once")


async def _hear(conversation: Conversation, recognizer: ScriptedRecognizer, audio: bytes) -> None:
    script, frame_size = conversation.script, recognizer.audio_format.frame_size
    while len(audio) >= frame_size and not conversation.ended:
        size = int(min(len(audio) // frame_size, script.room("heard")))
        piece, audio = audio[: frame_size * size], audio[frame_size * size :]
        conversation.visit.audio += piece
        if recognizer.manner.pace is not None:
            await trio.sleep(recognizer.audio_format.seconds(size) / recognizer.manner.pace)
        await conversation.say(recognizer.hear(piece))
        script.word(recognizer.words_begun, recognizer.seconds_into_word)
        await conversation.happened("heard", size)


async def _change(conversation: Conversation, change: Change) -> None:
    if change.keyterms is not None:
        conversation.visit.keyterms = change.keyterms
    await conversation.say([Changed(change)])


async def _synthesize(conversation: Conversation, voice: ScriptedSynthesizer) -> None:
    while True:
        match await conversation.next():
            case Text(text):
                await conversation.happened("text")
                await conversation.say(voice.speak(text))
            case Flush():
                await conversation.happened("flush")
                await conversation.say(voice.flush())
            case Cancel():
                await conversation.happened("cancel")
                conversation.drop_unsent()
                voice.cancel()
                await conversation.say([Cancelled()])
            case ClientClose():
                await conversation.happened("close")
                if not conversation.ended:
                    return await _end_session(conversation)
            case _:
                return await _refuse(conversation, "a session is created once")


async def _end_session(conversation: Conversation) -> None:
    await conversation.say([Closed()])
    await conversation.said_all()
    await conversation.close()


async def _refuse(conversation: Conversation, complaint: str) -> None:
    conversation.visit.complaints.append(complaint)
    await conversation.say([Failure(message=complaint, code=_BAD_REQUEST)])
    await conversation.said_all()
    await conversation.close(1002, complaint)
