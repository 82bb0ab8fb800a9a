"""The codec of Deepgram Flux, ``/v2/listen``, which recognizes turns.

Each message contains the whole current turn. A turn becomes one final, at its end. A probable end (``EagerEndOfTurn``)
is a preflight transcript, and ``TurnResumed`` is an interim that takes it back. Outside of a turn, an update
acknowledges the audio of its window except the last second, where a turn may have begun that is not reported yet.

A turn ends by silence that is *sent*, so pauses of the source are filled with silence. No request makes a final of all
audio sent: ``ForceEndTurn`` ends the turn with the transcript as it is, and is not used. After ``CloseStream`` the last
message is an update, whose transcript must be taken as the final; the service then closes without a code. It is not
verified whether it sends a close frame: after a window that reaches the end of the audio, any end of the connection
counts as the regular end.

Source: Deepgram's AsyncAPI specification (deepgram-api-specs), deepgram-sdk 7.17.0 (PyPI), ``listen/v2``, and the
guides on Flux, its states, its configuration and ``CloseStream`` (developers.deepgram.com). Not verified against the
live service: that windows lie on one clock across turns, how exact word times are, how fast audio is taken, and after
how long without audio a connection ends (users tell of 20 s and more).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import UNSET

from ..._core.provider.messages import (
    Acknowledged,
    Failure,
    Going,
    Opened,
    RecognitionResult,
    SpeechOnset,
    SttMessage,
    TurnOver,
    Unknown,
)
from ..._core.provider.requests import Change
from ...audio import AudioFormat
from ...events import Word
from .._accept import accept_options
from .._clock import AudioClock
from .._codec import Frame, NeedsNewLink, SttCodec
from .._json import encode
from .._query import listed
from .._words import span, timed_word
from . import flux_wire as wire
from . import wire as shared

_ONSET = 1.0
"""Seconds within which the service may still find that a turn has begun."""
_NO_WORD = 0.1  # seconds at the end of the audio that hold no word of their own
_KINDS: dict[str, Literal["interim", "preflight"]] = {
    "StartOfTurn": "interim",
    "Update": "interim",
    "TurnResumed": "interim",
    "EagerEndOfTurn": "preflight",
}
_HINTS = "language_hint"
_LIVE = {_HINTS, *wire.Thresholds.__struct_fields__}
"""Options that can be changed on an open connection; they cannot be unset."""


class FluxCodec(SttCodec):
    """See `SttCodec`."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._sent = AudioClock(audio_format)
        self._is_closing = False
        self._in_turn = False
        self._shown = False
        self._ended = -1

    def audio(self, pcm: bytes | memoryview) -> Frame:
        self._sent.add(pcm)
        return bytes(pcm)

    def update(self, change: Change) -> Frame | NeedsNewLink | None:
        """See `SttCodec`.

        Keyterms, thresholds and language hints can be changed on an open connection, lists as a whole.
        """
        options = accept_options(change.options or {})
        if change.language is not None or options.keys() - _LIVE or None in options.values():
            return NeedsNewLink()
        hints = options.pop(_HINTS, None)
        if change.keyterms is None and hints is None and not options:
            return None
        configured = wire.Configure(
            thresholds=wire.Thresholds(**options) if options else UNSET,
            keyterms=UNSET if change.keyterms is None else change.keyterms,
            language_hints=UNSET if hints is None else listed(hints),
        )
        return encode(configured)

    def close(self) -> Frame:
        self._is_closing = True
        return encode(shared.CloseStream())

    def decode(self, frame: Frame) -> Iterable[SttMessage]:
        said: Iterable[SttMessage]
        match wire.from_server.decode(frame):
            case wire.TurnInfo() as turn:
                said = (*self._turn(turn), *([Going(0.0)] if self._is_last(turn) else []))
            case wire.Connected(request_id=request_id):
                said = (Opened(request_id),)
            case shared.ConfigureSuccess() | wire.Warned():
                said = ()
            case shared.ConfigureFailure(code=code, description=why, request_id=request_id):
                # A new connection has the change in its URL: it is accepted there, or refused for good.
                message = f"the change was not taken: {why or 'no reason given'}"
                said = (Failure(message=message, code=code, request_id=request_id, retryable=True),)
            case wire.Error(code=code, description=why, request_id=request_id):
                said = (Failure(message=why or "no reason given", code=code, request_id=request_id),)
            case unknown:
                said = (unknown,)
        return said

    def _is_last(self, turn: wire.TurnInfo) -> bool:
        """Whether the close message was sent and this turn's window reaches the end of the audio."""
        return self._is_closing and _window(turn)[1] >= self._sent.now - _NO_WORD

    def _turn(self, turn: wire.TurnInfo) -> Iterator[SttMessage]:
        if turn.turn_index <= self._ended and (turn.transcript or turn.event == "EndOfTurn"):
            return  # late, or told twice
        if turn.event == "EndOfTurn":
            yield from self._end(turn)
            return
        if turn.event not in _KINDS:
            yield Unknown(turn.event[:64])
            return
        if turn.event == "StartOfTurn":
            self._in_turn = True
            words = _words(turn)
            yield SpeechOnset(words[0].start if words else None)  # the window began with the silence before the turn
        if turn.transcript or self._shown:
            self._in_turn, self._shown = True, bool(turn.transcript)
            yield _result(turn, _KINDS[turn.event])
        elif not self._in_turn:
            yield Acknowledged(max(0.0, _window(turn)[1] - _ONSET))

    def _end(self, turn: wire.TurnInfo) -> Iterator[SttMessage]:
        self._in_turn = self._shown = False
        self._ended = turn.turn_index
        final = _result(turn, "final")
        yield final
        yield Acknowledged(max(final.end if final.words else 0.0, _window(turn)[1] - _ONSET, 0.0))
        yield TurnOver(final.end, turn.end_of_turn_confidence)


def _result(turn: wire.TurnInfo, kind: Literal["interim", "preflight", "final"]) -> RecognitionResult:
    words, (start, end) = _words(turn), _window(turn)
    if words:
        start, end = words[0].start, max(words[-1].end, words[0].start)
    return RecognitionResult(
        kind=kind,
        text=turn.transcript,
        start=start,
        end=end,
        words=words,
        language=next(iter(turn.languages or ()), None),
        id=f"turn-{turn.turn_index}" if kind == "final" else None,
        ends_speech=kind == "final",
    )


def _window(turn: wire.TurnInfo) -> tuple[float, float]:
    return span(turn.audio_window_start, turn.audio_window_end)


def _words(turn: wire.TurnInfo) -> tuple[Word, ...]:
    """Returns the words; none if the service does not give their times."""
    timed = [(word, word.start, word.end) for word in turn.words or ()]
    if not all(start is not None and end is not None for _, start, end in timed):
        return ()
    return tuple(timed_word(word.word, start or 0.0, end or 0.0, word.confidence) for word, start, end in timed)
