from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from typing import Any, cast

import pytest

from trio_speech.errors import ConfigurationError
from trio_speech.providers._handshake import (
    api_key,
    bearable,
    is_loopback,
    revealed,
    setting,
    user_agent,
    websocket_base,
)


@pytest.mark.parametrize(("value", "means"), [("x", "x"), (" x\n", "x"), ("", None), ("  ", None)])
def test_a_blank_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch, value: str, means: str | None) -> None:
    monkeypatch.setenv("SOME_SETTING", value)
    assert setting("SOME_SETTING") == means


def test_a_missing_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_SETTING", raising=False)
    assert setting("SOME_SETTING") is None


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://host/v1", "wss://host/v1"),
        ("http://host:8080", "ws://host:8080"),
        ("wss://host/v1/", "wss://host/v1"),
        ("ws://[::1]:7880//", "ws://[::1]:7880"),
        (" https://http.example/http ", "wss://http.example/http"),
        ("HTTPS://Host/V1", "wss://Host/V1"),
    ],
)
def test_a_base_is_a_websocket_address_without_a_slash_at_its_end(url: str, base: str) -> None:
    assert websocket_base(url, "it") == base


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        *((host, True) for host in ("localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "::1")),
        *((host, False) for host in ("", "localhost.test", "alocalhost", "0.0.0.0", "::", "192.168.0.1")),
    ],
)
def test_what_stands_for_this_machine_alone(host: str, ours: bool) -> None:
    assert is_loopback(host) is ours


@pytest.mark.parametrize(
    "url",
    [
        "host/v1",
        "ftp://host",
        "https://",
        "https:///v1",
        "https://host:port/v1",
        "https://host:99999",
        "https://[::1",
        "https://ho st/v1",
        "https://höst/v1",
        "https://host/\x00",
        "https://host/v1?model=x",
        "https://host/v1#x",
        "https://user@host/v1",
        "https://user:hunter2@host/v1",
        "https://user:hunter2:hunter2@host/v1",
        "https://user:hunter2",
    ],
)
def test_what_is_no_address_is_refused_by_the_name_of_its_source_and_not_quoted(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^THE_SOURCE ") as caught:
        websocket_base(url, "THE_SOURCE")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("url", [5, ["a"], {}])
def test_what_is_no_string_is_no_address(url: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"THE_SOURCE must be a str, not (int|list|dict)"):
        websocket_base(url, "THE_SOURCE")


async def test_what_is_no_token_provider_is_told_so() -> None:
    async def number() -> Any:
        return 5

    with pytest.raises(ConfigurationError, match="api_key must be an async callable"):
        await revealed(cast(Any, lambda: "token"))
    with pytest.raises(ConfigurationError, match="api_key must return a str, not int"):
        await revealed(number)


def test_a_key_is_a_string_or_gives_one() -> None:
    async def token() -> str:
        return "token"

    assert api_key(token, "X_KEY", "X") is token
    with pytest.raises(ConfigurationError, match="api_key must be a str or an async callable, not int"):
        api_key(cast(Any, 5), "X_KEY", "X")


@pytest.mark.parametrize("credential", ["", "two words", "line\n", "\x00", "schlüssel"])
def test_a_credential_that_no_header_can_hold_is_refused_and_not_quoted(credential: str) -> None:
    with pytest.raises(ConfigurationError, match="the key of X") as caught:
        bearable(credential, "the key of X")
    assert not credential or credential not in str(caught.value)


def test_a_credential_that_a_header_can_hold_passes() -> None:
    assert bearable("abc.DEF-_~", "it") == "abc.DEF-_~"


@pytest.fixture
def fresh_user_agent() -> Iterator[None]:
    user_agent.cache_clear()
    yield
    user_agent.cache_clear()


@pytest.mark.usefixtures("fresh_user_agent")
def test_we_name_ourselves(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        assert name == "trio-speech"
        return "1.2.3"

    monkeypatch.setattr(metadata, "version", version)
    assert user_agent().startswith("trio-speech/1.2.3 (python 3.")


@pytest.mark.usefixtures("fresh_user_agent")
def test_we_name_ourselves_from_a_checkout_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    assert user_agent().startswith("trio-speech/unknown (")
