"""The codec of Deepgram's speech synthesis, ``/v1/speak``.

The URL holds the settings. Text and commands are sent as JSON, audio comes in binary frames, and `Flushed` comes after
the audio of each flush. Messages do not name their generation, so the codec goes by their order: there is one
generation at a time, and after a `Clear` everything until `Cleared` belongs to the abandoned one. It is not known
whether the flush of a cleared text is still answered, after `Cleared`: so a `Flushed` before any audio is ignored then.

Source: Deepgram's AsyncAPI specification (deepgram-api-specs), deepgram-sdk 7.17.0 (PyPI), ``speak/v1``, and the guides
on flush, clear and errors (developers.deepgram.com). Not verified against the live service: the age at which it ends a
connection (an hour is what livekit-agents keeps to), and how long a connection may be idle.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..._core.provider.messages import Audio, Done, Failure, Opened, TtsMessage
from .._codec import Frame, TtsCodec
from .._json import encode
from . import speak_wire as wire


class DeepgramSpeakCodec(TtsCodec):
    """See `TtsCodec`."""

    def __init__(self) -> None:
        self._speaking = False
        self._clearing = False
        self._owes_flushed = False

    def speak(self, text: str) -> Iterable[Frame]:
        self._speaking = True
        return (encode(wire.Speak(text)), encode(wire.Flush()))

    def cancel(self) -> Frame | None:
        if not self._speaking or self._clearing:
            return None
        self._clearing = self._owes_flushed = True
        return encode(wire.Clear())

    def close(self) -> Frame:
        return encode(wire.Close())

    def decode(self, frame: Frame) -> Iterable[TtsMessage]:
        if isinstance(frame, bytes):
            if not frame:
                return ()
            self._owes_flushed &= self._clearing
            return (Audio(frame),)
        said: Iterable[TtsMessage] = ()
        match wire.from_server.decode(frame):
            case wire.Flushed():
                # While clearing, it is of a flush that ended before the clear arrived; `Cleared` still follows.
                said = () if self._clearing or self._owes_flushed else self._done()
                self._owes_flushed = False
            case wire.Cleared():
                said = self._done()
            case wire.Metadata(request_id=request_id):
                said = (Opened(request_id),)
            case wire.Warning() as warning:
                said = _warned(warning)
            case wire.Error() as error:
                message = error.description or error.message or "no reason given"
                said = (Failure(message=message, code=error.code or error.err_code, request_id=error.request_id),)
            case unknown:
                said = (unknown,)
        return said

    def _done(self) -> Iterable[TtsMessage]:
        was_speaking = self._speaking
        self._speaking = self._clearing = False
        return (Done(),) if was_speaking else ()


def _warned(warning: wire.Warning) -> Iterable[TtsMessage]:
    code = warning.code or warning.warn_code or ""
    said = warning.description or warning.warn_msg or ""
    if "flush" in f"{code} {said}".lower():
        # The flush was ignored, so its audio will never come: only another connection helps.
        return (Failure(message=said or "too many flushes", code=code or None, retryable=True),)
    return ()
