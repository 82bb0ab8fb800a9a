"""Audio formats, conversions, files and captions.

- `AudioFormat`: how raw audio is encoded.
- `mulaw_to_pcm16`, `pcm16_to_mulaw`, `alaw_to_pcm16`, `pcm16_to_alaw`: exact G.711 conversions, for telephony.
- `trio_speech.audio.files`: audio files as sources, and clips as files. It needs the extra ``audio``.
- `trio_speech.audio.captions`: what was recognized as SubRip or WebVTT.
"""

from __future__ import annotations

from .formats import AudioFormat, Encoding
from .g711 import alaw_to_pcm16, mulaw_to_pcm16, pcm16_to_alaw, pcm16_to_mulaw

__all__ = ["AudioFormat", "Encoding", "alaw_to_pcm16", "mulaw_to_pcm16", "pcm16_to_alaw", "pcm16_to_mulaw"]
