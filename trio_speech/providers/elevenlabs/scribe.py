"""The codec of ElevenLabs' realtime recognition, Scribe.

The session commits when it wants a final, and each commit is answered by one transcript, in order. A commit needs at
least 0.3 s of audio since the last one, or the service ignores it or ends the connection. So silence is added if there
is less (`SttProfile.least_finalized`).

If words have times, each transcript comes twice: first plain, then with times. The second is used, or the first if it
is empty. A transcript that comes again with the same words at the same times is skipped.

Source: as in `scribe_wire`; livekit-plugins-elevenlabs 1.8.9 for the shortest commit, the keepalive and the meaning of
errors; elevenlabs-python issue 686 for repeated transcripts. Not verified against the live service: that word times
count from the start of the connection, and that a commit of silence is answered. So times acknowledge nothing: only an
answered commit does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from ..._core.provider.messages import Failure, FinalizeAnswered, Opened, RecognitionResult, SttMessage, Unknown
from ...audio import AudioFormat
from ...events import Word
from .._clock import AudioClock
from .._codec import Frame, SttCodec
from . import scribe_wire as wire
from .profiles import SCRIBE

_HTTP = {"auth_error": 401, "quota_exceeded": 402, "rate_limited": 429}
"""Errors that are reported by the HTTP status of the same meaning, which users know better."""
_ERRORS = frozenset(
    {"error", "transcriber_error", "queue_overflow", "resource_exhausted", "session_time_limit_exceeded"}
    | {"insufficient_audio_activity", "commit_throttled", *_HTTP, *map(str, SCRIBE.failure_fates)}
)
_SKIPPED = frozenset(
    {"warning", "final_transcript", "final_transcript_with_timestamps", "committed_transcript_entities"}
    | {"redacted_transcript", "edited_transcript"}
)
"""Messages that are skipped: remarks, and further forms of a transcript."""


class ScribeCodec(SttCodec):
    """See `SttCodec`. With `timed`, transcripts come again with the times of their words."""

    def __init__(self, audio_format: AudioFormat, *, timed: bool) -> None:
        self._rate = audio_format.sample_rate
        self._sent = AudioClock(audio_format)
        self._timed = timed
        self._commits: deque[float] = deque()
        self._committed = 0.0
        self._shown = False
        self._last: wire.Said | None = None

    def audio(self, pcm: bytes | memoryview) -> Frame:
        self._sent.add(pcm)
        return wire.chunk(pcm, self._rate)

    def finalize(self) -> Frame:
        self._commits.append(self._sent.now)
        return wire.chunk(b"", self._rate, commit=True)

    def keepalive(self) -> Frame:
        return wire.chunk(b"", self._rate)

    def decode(self, frame: Frame) -> Iterable[SttMessage]:
        return tuple(self._said(wire.from_server.decode(frame)))

    def _said(self, said: wire.Said) -> Iterator[SttMessage]:
        match said.message_type:
            case "session_started":
                yield Opened(said.session_id)
            case "partial_transcript":
                # An empty one may be about audio after a commit that is not answered yet.
                if said.transcript or (self._shown and not self._commits):
                    self._shown = bool(said.transcript)
                    yield RecognitionResult(kind="interim", text=said.transcript, start=0.0, end=0.0)
            case "committed_transcript":
                if not self._timed or not said.transcript:
                    yield from self._answer(said)
            case "committed_transcript_with_timestamps":
                if said.transcript and not self._is_repeated(said):
                    yield from self._answer(said)
            case kind if kind in _ERRORS or said.error is not None:
                text = said.error or said.message or "no reason given"
                yield Failure(message=text, code=_HTTP.get(kind, kind))
            case kind if kind not in _SKIPPED:
                yield Unknown(kind[:64])
            case _:
                return

    def _is_repeated(self, said: wire.Said) -> bool:
        last, self._last = self._last, said
        timed = any(word.start is not None for word in said.words or ())  # else the speaker may have said it again
        return last is not None and timed and said.words == last.words

    def _answer(self, said: wire.Said) -> Iterator[SttMessage]:
        asked = bool(self._commits)
        start, end = self._committed, self._commits.popleft() if asked else self._sent.now
        self._committed = end
        if said.transcript or self._shown:
            self._shown = False
            yield self._final(said, start, end)
        if asked:
            yield FinalizeAnswered()

    def _final(self, said: wire.Said, start: float, end: float) -> RecognitionResult:
        words = tuple(self._words(said))
        return RecognitionResult(
            kind="final",
            text=said.transcript,
            start=words[0].start if words else start,
            end=words[-1].end if words else end,
            words=words,
            language=said.language_code,
        )

    def _words(self, said: wire.Said) -> Iterator[Word]:
        reached = 0.0
        for each in said.words or ():
            if each.type != "spacing" and each.start is not None and each.end is not None:
                start = max(reached, self._sent.within(each.start))
                reached = max(start, self._sent.within(each.end))
                yield Word(each.text, start, reached, None, each.speaker_id)
