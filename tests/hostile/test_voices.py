"""Speech from servers that break every rule: a named error or a clean skip, bounded memory, no hang, and a pool whose
places are all free again."""

from __future__ import annotations

import base64
from collections.abc import Callable

import msgspec
import pytest
import trio

import trio_speech as ts
from trio_speech.testing import ScriptedGateway

from .wild import BINARY, Behavior, Peer, Wild, frame, says

LIVEKIT = ts.LiveKit(url="https://speech.test/v1", api_key="key", api_secret="s" * 40)
CARTESIA = ts.Cartesia("key", url="https://speech.test")
BACKENDS: dict[str, ts.LiveKit | ts.Cartesia] = {"livekit": LIVEKIT, "cartesia": CARTESIA}
MODELS = {"livekit": "cartesia/sonic-3:voice", "cartesia": "sonic-3:voice"}
DEADLINE = 30.0
PATIENCE = ts.RetryPolicy(deadline=DEADLINE, max_attempts=2)
TEXT = "one two three"
SOUND = base64.b64encode(bytes(4_800)).decode()


def message(**fields: object) -> bytes:
    return frame(msgspec.json.encode(fields))


def answers_text(reply: Callable[[str], bytes], every: float = 0.2) -> Behavior:
    """Once text has come, says the reply to it again and again; `reply` is told the context that it is in."""

    async def behavior(peer: Peer) -> None:
        async with trio.open_nursery() as nursery:
            await peer.open()
            nursery.start_soon(peer.listen)
            context = await peer.context()
            while True:
                await peer.say(reply(context))
                await trio.sleep(every)

    return behavior


def livekit(**fields: object) -> Callable[[str], bytes]:
    return lambda context: message(**fields)


def cartesia(**fields: object) -> Callable[[str], bytes]:
    return lambda context: message(context_id=context, **fields)


ENDLESS: dict[str, tuple[str, Behavior]] = {
    "malformed": ("livekit", says(frame('{"type":"output_audio","audio":"???"}'))),
    "audio that is no base64": ("cartesia", answers_text(cartesia(type="chunk", data="?"))),
    "an odd base64": ("livekit", answers_text(livekit(type="output_audio", audio="AAA"))),
    "words and times that do not match": (
        "cartesia",
        answers_text(cartesia(type="timestamps", word_timestamps={"words": ["a"], "start": [], "end": []})),
    ),
    "a word at no time": (
        "cartesia",
        answers_text(lambda context: frame('{"type":"timestamps","context_id":"x","word_timestamps":{"start":[NaN]}}')),
    ),
    "sound that nobody asked for": ("livekit", says(message(type="output_audio", audio=SOUND))),
    "words without sound": (
        "livekit",
        answers_text(livekit(type="output_alignment", words=[{"word": "again", "start": 0, "end": 1}] * 100)),
    ),
    "words without sound, in a context": (
        "cartesia",
        answers_text(
            cartesia(type="timestamps", word_timestamps={"words": ["x"] * 100, "start": [0] * 100, "end": [1] * 100})
        ),
    ),
    "letters without blanks": (
        "livekit",
        answers_text(livekit(type="output_alignment", chars=[{"char": "a", "start": 0, "end": 1}] * 100)),
    ),
    "sound without sound": ("livekit", answers_text(livekit(type="output_audio", audio=""))),
    "sound without end": ("livekit", answers_text(livekit(type="output_audio", audio=SOUND * 100))),
    "sound of others": ("cartesia", answers_text(lambda context: message(type="chunk", context_id="x", data=SOUND))),
    "noise": ("livekit", answers_text(livekit(type="noise"))),
    "binary": ("livekit", answers_text(lambda context: frame(b"\x00", BINARY))),
    "silence": ("livekit", says()),
    "an error of no kind": ("livekit", answers_text(livekit(type="error"))),
    "an error of no context": ("cartesia", answers_text(lambda context: message(type="error"))),
}


@pytest.mark.parametrize("name", ENDLESS)
async def test_a_voice_that_never_sends_valid_messages_is_given_up_by_the_deadline(wild: Wild, name: str) -> None:
    service, behavior = ENDLESS[name]
    wild.behave(behavior, for_ever=True)
    async with ts.open_client(wild.in_place_of(BACKENDS[service]), retry=PATIENCE) as client:
        with pytest.raises(ts.RetriesExhausted):
            await client.render(TEXT, model=MODELS[service])
        assert trio.current_time() <= DEADLINE + 20.0
        await trio.sleep(5.0)
        statistics = client.statistics()
        assert (statistics.leased, statistics.dialing, statistics.draining, statistics.waiting) == (0, 0, 0, 0)
    await trio.sleep(1.0)
    assert wild.left


MUTE: dict[str, tuple[str, Behavior]] = {
    "an end without sound": ("livekit", answers_text(livekit(type="done"))),
    "an end without sound, in a context": ("cartesia", answers_text(cartesia(type="done"))),
}


@pytest.mark.parametrize("name", MUTE)
async def test_a_voice_that_reports_the_end_without_sound_is_believed_on_the_second_connection(
    wild: Wild, name: str
) -> None:
    service, behavior = MUTE[name]
    wild.behave(behavior, for_ever=True)
    async with ts.open_client(wild.in_place_of(BACKENDS[service]), retry=PATIENCE) as client:
        clip = await client.render(TEXT, model=MODELS[service])
        assert (clip.audio, clip.words) == (b"", ())
        assert trio.current_time() < 1.0


@pytest.mark.parametrize("name", [name for name, (service, _) in ENDLESS.items() if service == "livekit"])
async def test_after_invalid_messages_every_word_is_spoken_once(
    wild: Wild, gateway: ScriptedGateway, name: str
) -> None:
    wild.behave(ENDLESS[name][1])
    async with ts.open_client(wild.in_place_of(LIVEKIT)) as client:
        clip = await client.render(TEXT, model=MODELS["livekit"])
    assert [word.text.strip() for word in clip.words] == TEXT.split()
    assert trio.current_time() < 120.0
