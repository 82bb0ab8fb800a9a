"""Law 2: the backend and its codec do what the profile says.

What the profile says of the service alone cannot be checked against a script, which would only repeat it: whether times
are exact, how far they drift, whether finals come in order and voices repeat themselves, how fast and how late the
service is. Give `manner` and `delivery` to `check_provider` as the service really is, and the sessions show it.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from ..._core.provider.messages import RecognitionResult
from ..._core.provider.profile import SttProfile, TtsProfile
from ..._core.provider.requests import Change
from ...audio import AudioFormat
from ...errors import ConfigurationError
from .laws import demand
from .learning import learned
from .setup import ENCODINGS, Setup, Side

_RATES = (8_000, 16_000, 22_050, 24_000, 44_100, 48_000)
_CHANNELS = (1, 2)


def check_profile(setup: Setup, side: Side) -> None:
    """Raises `LawBroken` where the backend does not do what its profile says.

    It must take exactly the formats that the profile names, its codec must have the messages that the profile needs,
    and equal requests must be able to share a connection.
    """
    usual = setup.provider(side)
    for encoding, rate, channels in product(ENCODINGS, _RATES, _CHANNELS):
        audio_format = AudioFormat(encoding, rate, channels)
        try:
            provider = setup.provider(side, audio_format)
        except ConfigurationError:
            demand(
                not _takes(usual.profile, audio_format), f"the profile has {audio_format}, and the backend refuses it"
            )
        else:
            takes = _takes(provider.profile, audio_format)
            demand(takes, f"the profile does not have {audio_format}, and the backend takes it")
    _check_keepalive(usual.profile, usual.codec())
    if side == "recognizer":
        _check_messages(usual.profile, usual.codec())
    _check_sharing(setup, side)


def check_capabilities(setup: Setup) -> None:
    """Raises `LawBroken` where a recognizer does not show what its profile promises, in a session without faults."""
    profile = setup.provider("recognizer").profile
    results = [each for each in learned(setup, "recognizer").messages if isinstance(each, RecognitionResult)]
    interims = [each for each in results if each.kind == "interim" and each.text]
    demand(bool(interims) or not profile.shows_interims, "by the profile interims come, and the codec gives none")


def _takes(profile: SttProfile | TtsProfile, audio_format: AudioFormat) -> bool:
    channels = profile.max_channels if isinstance(profile, SttProfile) else 1
    rates = profile.sample_rates
    return (
        audio_format.encoding in profile.encodings
        and (rates is None or audio_format.sample_rate in rates)
        and audio_format.channels <= channels
    )


def _check_keepalive(profile: SttProfile | TtsProfile, codec: Any) -> None:
    has = codec.keepalive() is not None
    if isinstance(profile, SttProfile) and profile.filler is not None:
        return  # then silence keeps the connection
    demand(has or profile.keepalive is None, "the profile has a keepalive, and the codec has no frame for it")
    demand(
        not has or profile.keepalive is not None, "the codec has a keepalive, and the profile does not say how often"
    )


def _check_messages(profile: SttProfile, codec: Any) -> None:
    if profile.live_keyterms:
        try:
            answer = codec.update(Change(keyterms=("word",)))
        except ConfigurationError as error:
            answer = error
        demand(
            isinstance(answer, (str, bytes)),
            "by its profile keyterms change on a running connection, and the codec has no frame for it",
        )
    has = codec.finalize() is not None
    demand(
        has or not (profile.finalizes or profile.acknowledges == "finalize" or not profile.finalizes_itself),
        "by its profile the service takes requests for finals, and the codec has no frame for that",
    )
    demand(not has or profile.finalizes, "the codec can ask for finals, and by the profile it is never asked to")
    demand(
        profile.ends_by != "close" or codec.close() is not None,
        "by its profile the service answers the close message, and the codec has no frame for that",
    )


def _check_sharing(setup: Setup, side: Side) -> None:
    mine, yours = (setup.provider(side) for _ in range(2))
    if side == "recognizer":
        demand(mine.url == yours.url, "equal requests have different urls: a connection made ahead would never be used")
        return
    equal = mine.pool_key == yours.pool_key and hash(mine.pool_key) == hash(yours.pool_key)
    demand(equal, "equal requests have different pool_keys: they would never share a connection")
