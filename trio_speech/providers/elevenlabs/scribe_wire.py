"""The messages of ElevenLabs' realtime recognition, ``/v1/speech-to-text/realtime``.

The client has one message, a chunk of audio, which may *commit* the audio since the last commit. Times are seconds of
audio since the connection began.

Source: elevenlabs 2.78.0 (PyPI), ``realtime.scribe`` and ``realtime.connection``, and its types of the payloads.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from pybase64 import b64encode_as_string

from ...errors import ProtocolError
from .._json import OneShape, Seconds

Text = Annotated[str, Meta(max_length=100_000)]


class Timed(Struct, frozen=True):
    """A word, or the blank between two words (``spacing``), with its times."""

    text: str
    start: Seconds | None = None
    end: Seconds | None = None
    type: str = "word"
    speaker_id: str | None = None


class Said(Struct, frozen=True):
    """Any message of the service. Each kind of error has its own `message_type`."""

    message_type: str
    text: Text | None = None
    session_id: str | None = None
    language_code: str | None = None
    words: tuple[Timed, ...] | None = ()
    error: str | None = None
    message: str | None = None

    @property
    def transcript(self) -> str:
        """The text of the message, stripped. Raises `ProtocolError` if it has none."""
        if self.text is None:
            raise ProtocolError("malformed message: a transcript without the field `text`")
        return self.text.strip()


from_server = OneShape(Said)


def chunk(audio: bytes | memoryview, sample_rate: int, *, commit: bool = False) -> str:
    """Returns the text frame for audio, which may be empty."""
    head = f'{{"message_type":"input_audio_chunk","audio_base_64":"{b64encode_as_string(audio)}"'
    return f'{head},"commit":{"true" if commit else "false"},"sample_rate":{sample_rate}}}'
