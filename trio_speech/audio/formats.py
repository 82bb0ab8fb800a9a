"""Audio formats of constant rate, with exact arithmetic between bytes, samples and seconds.

A *sample* is one instant of time: with two channels it is two values. Every position inside the library counts
samples; seconds appear only in the public API and on the wire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from typing_extensions import Buffer

Encoding = Literal["pcm_s16le", "mulaw", "alaw"]

_BYTES_PER_VALUE: dict[str, int] = {"pcm_s16le": 2, "mulaw": 1, "alaw": 1}
_ZERO: dict[str, bytes] = {"pcm_s16le": b"\0\0", "mulaw": b"\xff", "alaw": b"\xd5"}
_RATES = range(1_000, 192_001)
_CHANNELS = range(1, 33)
_FLOATING = ("e", "f", "d", "g")
"""Item formats of a buffer that hold floating-point numbers, in the notation of `struct`."""


class AudioFormat(Struct, frozen=True):
    """How raw audio is encoded. Make one with `pcm16`, `mulaw` or `alaw`.

    Fields:
        encoding: ``"pcm_s16le"``: signed 16-bit little-endian PCM. ``"mulaw"`` and ``"alaw"``: G.711.
        sample_rate: Samples a second, from 1,000 to 192,000.
        channels: Interleaved channels, from 1 to 32.

    Raises `ConfigurationError` for other values.
    """

    encoding: Encoding
    sample_rate: int
    channels: int = 1

    def __post_init__(self) -> None:
        if self.encoding not in list(_BYTES_PER_VALUE):  # a list, because what was passed need not be hashable
            known = ", ".join(sorted(_BYTES_PER_VALUE))
            raise ConfigurationError(f"encoding must be one of {known}, not {self.encoding!r}")
        if type(self.sample_rate) is not int or self.sample_rate not in _RATES:
            raise ConfigurationError(
                f"sample_rate must be a whole number of hertz from 1,000 to 192,000, not {self.sample_rate!r}"
            )
        if type(self.channels) is not int or self.channels not in _CHANNELS:
            raise ConfigurationError(f"channels must be a whole number from 1 to 32, not {self.channels!r}")

    @classmethod
    def pcm16(cls, sample_rate: int, channels: int = 1) -> AudioFormat:
        """Signed 16-bit little-endian PCM, as in ``AudioFormat.pcm16(48_000, channels=2)``."""
        return cls("pcm_s16le", sample_rate, channels)

    @classmethod
    def mulaw(cls, sample_rate: int = 8_000, channels: int = 1) -> AudioFormat:
        """G.711 μ-law, one byte a value, as in ``AudioFormat.mulaw(8_000, channels=2)``."""
        return cls("mulaw", sample_rate, channels)

    @classmethod
    def alaw(cls, sample_rate: int = 8_000, channels: int = 1) -> AudioFormat:
        """G.711 A-law, one byte a value, as in ``AudioFormat.alaw(8_000, channels=2)``."""
        return cls("alaw", sample_rate, channels)

    @property
    def frame_size(self) -> int:
        """The bytes of one sample, of all channels together."""
        return _BYTES_PER_VALUE[self.encoding] * self.channels

    def samples(self, seconds: float) -> int:
        """The number of samples nearest to `seconds`."""
        return round(seconds * self.sample_rate)

    def seconds(self, samples: int) -> float:
        """How long `samples` samples last."""
        return samples / self.sample_rate

    def silence(self, samples: int) -> bytes:
        """`samples` samples of silence."""
        return _ZERO[self.encoding] * (samples * self.channels)

    def whole_samples(self, audio: Buffer) -> memoryview:
        """Checks that `audio` holds whole samples, and returns it as a flat view of bytes, without copying it.

        Raises `ConfigurationError` if it does not hold a whole number of samples, or holds floating-point numbers;
        raises `TypeError` if it is not bytes-like or not contiguous.
        """
        try:
            view = memoryview(audio)
        except TypeError:
            raise TypeError(f"audio must be a bytes-like object, not {type(audio).__name__}") from None
        if view.format[-1:] in _FLOATING:
            # The bytes of an array of floats would be taken for samples without an error, and heard as noise.
            raise ConfigurationError(f"audio must be {self}, not floating-point numbers: convert it to integers first")
        if not view.c_contiguous:
            raise TypeError("audio must be contiguous in memory: pass a copy of this view")
        view = view.cast("B") if view.nbytes else memoryview(b"")
        if len(view) % self.frame_size:
            raise ConfigurationError(
                f"{len(view)} bytes are not a whole number of {self.frame_size}-byte samples of {self}: "
                "send chunks cut at sample boundaries, or give the audio_format that the bytes are in"
            )
        return view

    def __str__(self) -> str:
        channels = "mono" if self.channels == 1 else f"{self.channels} channels"
        return f"{self.encoding} at {self.sample_rate} Hz, {channels}"
