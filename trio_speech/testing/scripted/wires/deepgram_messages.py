"""The messages of Deepgram's live recognition, from the service's side. See `deepgram`."""

from __future__ import annotations

from typing import Any, TypeAlias

from msgspec import Struct

from ...._core.provider.messages import RecognitionResult
from ....events import Word
from ....providers._json import TaggedUnion

Json: TypeAlias = dict[str, Any]

# ---------------------------------------------------------------- from the client


class KeepAlive(Struct, frozen=True, tag=True):
    pass


class Finalize(Struct, frozen=True, tag=True):
    channel: int | None = None


class CloseStream(Struct, frozen=True, tag=True):
    pass


class Configure(Struct, frozen=True, tag=True):
    keyterms: tuple[str, ...] | None = None
    features: dict[str, bool] | None = None


ClientMessage: TypeAlias = KeepAlive | Finalize | CloseStream | Configure
from_client: TaggedUnion[ClientMessage] = TaggedUnion(ClientMessage)

# ---------------------------------------------------------------- to the client: the fields that are required


def results(request_id: str, model: str, start: float, duration: float, alternative: Json, **verdicts: bool) -> Json:
    """Returns the transcript of one window of audio, `duration` seconds from `start`."""
    return {
        "type": "Results",
        "channel_index": [0, 1],
        "start": start,
        "duration": duration,
        **verdicts,
        "channel": {"alternatives": [alternative]},
        "metadata": {
            "request_id": request_id,
            "model_info": {"name": model, "version": "0", "arch": "scripted"},
            "model_uuid": "00000000-0000-0000-0000-000000000000",
        },
    }


SILENCE: Json = {"transcript": "", "confidence": 0.0, "words": []}


def alternative(hypothesis: RecognitionResult) -> Json:
    """Returns the text of a result, with its confidence and its words."""
    words = [_word(word) for word in hypothesis.words]
    return {"transcript": hypothesis.text, "confidence": hypothesis.confidence, "words": words}


def _word(word: Word) -> Json:
    return {"word": word.text, "start": word.start, "end": word.end, "confidence": word.confidence}


def speech_started(at: float | None) -> Json:
    return {"type": "SpeechStarted", "channel": [0], "timestamp": at}


def utterance_end(last_word_end: float) -> Json:
    return {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": last_word_end}


def configured(request_id: str, keyterms: tuple[str, ...] | None) -> Json:
    """The answer to a change of settings; it repeats the keyterms only if they were replaced."""
    return {"type": "ConfigureSuccess", "request_id": request_id} | ({} if keyterms is None else {"keyterms": keyterms})


def complaint(request_id: str, code: str, why: str) -> Json:
    """Returns an error message. A refused change of settings has a message type of its own."""
    if code.startswith("CONFIGURE_"):
        return {"type": "ConfigureFailure", "request_id": request_id, "code": code, "description": why}
    return {"type": "Error", "variant": code, "description": why}


def metadata(request_id: str, sha256: str, duration: float) -> Json:
    """Returns the summary of the session, which is sent last. `duration`: seconds of audio received."""
    return {
        "type": "Metadata",
        "transaction_key": "deprecated",
        "request_id": request_id,
        "sha256": sha256,
        "created": "2026-01-01T00:00:00.000Z",
        "duration": duration,
        "channels": 1,
    }
