"""Law 2: the backend does what its profile says."""

from __future__ import annotations

from itertools import product

from ..._core.provider.profile import SttProfile, TtsProfile
from ..._core.provider.requests import Change
from ...audio import AudioFormat, Encoding
from ...errors import ConfigurationError
from ...providers._codec import SttCodec, SttProvider, TtsProvider
from .codec import Side
from .setup import Setup

_ENCODINGS: tuple[Encoding, ...] = ("pcm_s16le", "mulaw", "alaw")
_RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
_CHANNELS = (1, 2)


def check_profile(setup: Setup, side: Side, profile: SttProfile | TtsProfile) -> None:
    """Raises `AssertionError` where the backend does not do what its profile says.

    It must take exactly the formats that the profile names, its codec must have the messages that the profile needs,
    and equal requests must be able to share a connection.
    """
    for encoding, rate, channels in product(_ENCODINGS, _RATES, _CHANNELS):
        audio_format = AudioFormat(encoding, rate, channels)
        provider = _provider(setup, side, audio_format)
        if provider is None and _takes(profile, audio_format):
            raise AssertionError(f"the profile has {audio_format}, and the backend refuses it")
        if provider is not None and not _takes(provider.profile, audio_format):
            raise AssertionError(f"the profile does not have {audio_format}, and the backend takes it")
    if isinstance(profile, SttProfile) and setup.recognizer is not None:
        _check_messages(profile, setup.recognizer.codec())
    _check_sharing(setup, side)


def _takes(profile: SttProfile | TtsProfile, audio_format: AudioFormat) -> bool:
    channels = profile.max_channels if isinstance(profile, SttProfile) else 1
    rates = profile.sample_rates
    return (
        audio_format.encoding in profile.encodings
        and (rates is None or audio_format.sample_rate in rates)
        and audio_format.channels <= channels
    )


def _provider(setup: Setup, side: Side, audio_format: AudioFormat) -> SttProvider | TtsProvider | None:
    try:
        if side == "recognizer":
            return setup.backend.recognizer(setup.asked.of_recognizer(audio_format))
        return setup.backend.voice(setup.asked.of_voice(audio_format))
    except ConfigurationError:
        return None


def _check_messages(profile: SttProfile, codec: SttCodec) -> None:
    if profile.keepalive is not None and profile.filler is None and codec.keepalive() is None:
        raise AssertionError("the profile has a keepalive, and the codec has no frame for it")
    if profile.live_keyterms and not isinstance(codec.update(Change(keyterms=("word",))), (str, bytes)):
        raise AssertionError(
            "by its profile keyterms change on a running connection, and the codec has no frame for it"
        )
    needs_finalize = profile.acknowledges == "finalize" or not profile.finalizes_itself
    if needs_finalize and codec.finalize() is None:
        raise AssertionError("by its profile the service must be asked for finals, and the codec has no frame for that")


def _check_sharing(setup: Setup, side: Side) -> None:
    if side == "recognizer":
        one, other = (setup.backend.recognizer(setup.asked.of_recognizer(setup.audio_format)) for _ in range(2))
        if one.url != other.url:
            raise AssertionError("equal requests have different urls: a connection made ahead would never be used")
        return
    mine, yours = (setup.backend.voice(setup.asked.of_voice(setup.speech_format)) for _ in range(2))
    if mine.pool_key != yours.pool_key or hash(mine.pool_key) != hash(yours.pool_key):
        raise AssertionError("equal requests have different pool_keys: they would never share a connection")
