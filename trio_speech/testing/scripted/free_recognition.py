"""Serves one recognition session like a correct but untidy service, which sends messages at random times.

`TruthfulRecognizer` decides what is sent and when. This module reads the client's requests, and sends the messages.
"""

from __future__ import annotations

import trio

from ..._core.provider.messages import Audio
from ..._core.provider.requests import Change
from ..._shell.concurrency.wakeup import Wakeup
from .conversation import Conversation
from .truthful import TruthfulRecognizer
from .wires.protocol import Changed, ClientClose, ClientFinalize, ClientFinish


async def recognize_freely(conversation: Conversation, recognizer: TruthfulRecognizer) -> bool:
    """Serves until the session ends. Returns whether the client kept to the protocol.

    Raises a group of `LinkDown` when the client is gone.
    """
    stirred = Wakeup()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_speak, conversation, recognizer, stirred, nursery.cancel_scope)
        kept = await _listen(conversation, recognizer, stirred)
        nursery.cancel_scope.cancel(reason="the session is over")
        return kept
    return True  # the speaker has ended it


async def _listen(conversation: Conversation, recognizer: TruthfulRecognizer, stirred: Wakeup) -> bool:
    while True:
        request = await conversation.next()
        now = trio.current_time()
        match request:
            case Audio(pcm):
                await _hear(conversation, recognizer, pcm, stirred)
                await conversation.happened("audio")
            case ClientFinalize():
                await conversation.happened("finalize")
                recognizer.finalize(now)
            case Change() as change:
                await conversation.happened("update")
                if change.keyterms is not None:
                    conversation.visit.keyterms = change.keyterms
                await conversation.say([Changed(change)])
            case ClientFinish() | ClientClose():
                await conversation.happened("close")
                recognizer.finish(now)
            case _:
                return False
        stirred.fire()


async def _hear(conversation: Conversation, recognizer: TruthfulRecognizer, pcm: bytes, stirred: Wakeup) -> None:
    script, pace, frame_size = conversation.script, recognizer.manner.pace, recognizer.audio_format.frame_size
    while len(pcm) >= frame_size and not conversation.ended:
        size = int(min(len(pcm) // frame_size, script.room("heard")))
        piece, pcm = pcm[: frame_size * size], pcm[frame_size * size :]
        conversation.visit.audio += piece
        if pace is not None:
            await trio.sleep(recognizer.audio_format.seconds(size) / pace)
        recognizer.hear(piece, trio.current_time())
        stirred.fire()
        script.word(recognizer.words_begun, recognizer.seconds_into_word)
        await conversation.happened("heard", size)


async def _speak(
    conversation: Conversation, recognizer: TruthfulRecognizer, stirred: Wakeup, session: trio.CancelScope
) -> None:
    while not recognizer.closed:
        await stirred.wait_until(recognizer.due)
        said = recognizer.speak(trio.current_time())
        if not conversation.ended:
            await conversation.say(said)
    if not conversation.ended:
        await conversation.said_all()
        await conversation.close()
        session.cancel(reason="the service has ended the session")
