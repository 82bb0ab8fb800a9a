"""The encodings of audio on the wire. Engines know 16-bit PCM only; telephones speak G.711."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from ...audio import g711
from .connection import Rejected


class WireEncoding(Struct, frozen=True):
    """How many bytes a sample takes, and how to convert to and from 16-bit PCM."""

    sample_bytes: int
    to_pcm: Callable[[bytes], bytes]
    from_pcm: Callable[[bytes], bytes]

    def decode(self, audio: bytes) -> bytes:
        """Returns the audio of a message as PCM. Raises `Rejected` if it is not a whole number of samples."""
        if len(audio) % self.sample_bytes:
            raise Rejected(f"{len(audio)} bytes of audio are not a whole number of 16-bit samples")
        return self.to_pcm(audio)


ENCODINGS: Mapping[str, WireEncoding] = {
    "pcm_s16le": WireEncoding(2, bytes, bytes),
    "mulaw": WireEncoding(1, g711.mulaw_to_pcm16, g711.pcm16_to_mulaw),
    "alaw": WireEncoding(1, g711.alaw_to_pcm16, g711.pcm16_to_alaw),
}


def find_encoding(name: str) -> WireEncoding:
    """Returns the encoding that a message names. Raises `Rejected` if it is not supported."""
    encoding = ENCODINGS.get(name)
    if encoding is None:
        raise Rejected(f"encoding {name[:40]!r} is not supported: use {', '.join(ENCODINGS)}")
    return encoding
