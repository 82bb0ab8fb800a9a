"""What every codec has, and the handshake that a provider asks for, which keeps its secrets."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

import trio_speech as ts
from trio_speech.provider import Audio, Change, Frame, NeedsNewLink, SttCodec, TtsCodec
from trio_speech.providers._codec import Dial
from trio_speech.testing import LabeledSpeech, ScriptedGateway, say

SECRET = "hunter2 & more"
SAID: LabeledSpeech = say(0.2, "turn left", 1.0)


def test_no_repr_shows_a_secret() -> None:
    dial = Dial("wss://host/v1?a=b", (("Authorization", SECRET),), (("token", SECRET),), ("v1", SECRET))
    assert "hunter2" not in repr(dial) + str(dial) + repr(dial.__rich_repr__())
    assert dial.url == "wss://host/v1?a=b"


def test_secret_parameters_are_part_of_the_address_alone() -> None:
    for url in ("wss://host/v1", "wss://host/v1?a=b"):
        assert Dial(url).address == url
        address = Dial(url, secret_query=(("token", SECRET),)).address
        assert address.startswith(url)
        assert parse_qsl(urlsplit(address).query)[-1] == ("token", SECRET)


class Hidden:
    """The scripted gateway, behind a backend that puts its token into the address."""

    def __init__(self, gateway: ScriptedGateway) -> None:
        self._backend = gateway.backend()
        self.transport = self._backend.transport
        self.voice = self._backend.voice

    def recognizer(self, request: Any) -> Any:
        provider = self._backend.recognizer(request)

        class Recognizer:
            profile, endpoint, url, codec = provider.profile, provider.endpoint, provider.url, provider.codec

            async def dial(self) -> Dial:
                return Dial(provider.url, secret_query=(("token", SECRET),))

        return Recognizer()


async def test_the_service_gets_them_and_nobody_else(gateway: ScriptedGateway, autojump_clock: Any) -> None:
    async with ts.open_client(Hidden(gateway)) as client:
        assert (await client.recognize(SAID, SAID.audio_format)).text == SAID.text
    (visit,) = gateway.visits
    assert dict(parse_qsl(urlsplit(visit.resource).query))["token"] == SECRET


class Listener(SttCodec):
    def audio(self, pcm: bytes | memoryview) -> Frame:
        return bytes(pcm)

    def decode(self, frame: Frame) -> tuple[()]:
        return ()


class Talker(TtsCodec):
    def speak(self, text: str) -> tuple[Frame]:
        return (text,)

    def decode(self, frame: Frame) -> tuple[Audio]:
        return (Audio(bytes(2)),)


def test_a_codec_has_no_message_that_its_class_does_not_make() -> None:
    listener, talker = Listener(), Talker()
    assert (listener.open(), talker.open()) == ((), ())
    assert [listener.finalize(), listener.keepalive(), listener.close()] == [None] * 3
    assert [talker.cancel(), talker.keepalive(), talker.close()] == [None] * 3


def test_a_change_needs_a_new_connection_where_a_codec_makes_no_frame_of_it() -> None:
    assert Listener().update(Change(language="de")) == NeedsNewLink()


@pytest.mark.parametrize("base", [SttCodec, TtsCodec])
def test_what_every_service_has_must_be_written(base: Any) -> None:
    with pytest.raises(TypeError, match="abstract"):
        type("Nothing", (base,), {})()
