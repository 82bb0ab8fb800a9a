from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Any

import jwt
import pytest

from trio_speech.errors import ConfigurationError
from trio_speech.providers.livekit.auth import (
    Credentials,
    access_token,
    dial,
    find_base,
    find_credentials,
    given_credentials,
)

LONG = "0123456789abcdef0123456789abcdef"
VARIABLES = [
    "LIVEKIT_INFERENCE_API_KEY",
    "LIVEKIT_INFERENCE_API_SECRET",
    "LIVEKIT_API_KEY",
    "LIVEKIT_API_SECRET",
    "LIVEKIT_INFERENCE_URL",
    "LIVEKIT_URL",
]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


async def token() -> str:
    return "a.bearer.token"


# ---------------------------------------------------------------- tokens


def parts(encoded: str) -> Iterator[str]:
    for part in encoded.split(".")[:2]:
        yield urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()


def test_the_token_is_byte_for_byte_what_the_service_expects() -> None:
    header, payload = parts(access_token("the-key", LONG, now=1_790_000_000.9))
    assert header == '{"alg":"HS256","typ":"JWT"}'
    assert payload == ('{"inference":{"perform":true},"sub":"agent","iss":"the-key","nbf":1790000000,"exp":1790000600}')


def test_the_token_verifies() -> None:
    now = time.time()
    claims = jwt.decode(access_token("the-key", LONG, now=now), LONG, algorithms=["HS256"], issuer="the-key")
    assert claims["exp"] - claims["nbf"] == 600
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(access_token("the-key", "f" * 32, now=now), LONG, algorithms=["HS256"])
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(access_token("the-key", LONG, now=now - 601), LONG, algorithms=["HS256"])


def test_a_short_secret_signs_without_a_warning() -> None:
    assert access_token("devkey", "secret", now=0.0).count(".") == 2  # warnings are errors here


# ---------------------------------------------------------------- credentials


def test_arguments_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_INFERENCE_API_KEY", "k2")
    monkeypatch.setenv("LIVEKIT_INFERENCE_API_SECRET", "s2")
    assert find_credentials("k1", "s1") == Credentials("k1", "s1")


def test_then_the_variables_for_inference_then_those_for_all_of_livekit(monkeypatch: pytest.MonkeyPatch) -> None:
    for at, name in enumerate(VARIABLES[:4]):
        monkeypatch.setenv(name, f"v{at}")
    assert find_credentials(None, None) == Credentials("v0", "v1")
    monkeypatch.setenv(VARIABLES[0], "")
    monkeypatch.setenv(VARIABLES[1], " ")
    assert find_credentials("", "") == Credentials("v2", "v3")


def test_none_at_all_is_an_error_naming_the_variables() -> None:
    with pytest.raises(ConfigurationError) as caught:
        find_credentials(None, None)
    assert all(variable in str(caught.value) for variable in VARIABLES[:4])


@pytest.mark.parametrize(("there", "missing"), [(0, 1), (1, 0), (2, 3), (3, 2)])
def test_half_a_pair_is_never_completed_from_elsewhere(
    monkeypatch: pytest.MonkeyPatch, there: int, missing: int
) -> None:
    monkeypatch.setenv(VARIABLES[there], "hunter2")
    if there < 2:
        monkeypatch.setenv("LIVEKIT_API_KEY", "other")
        monkeypatch.setenv("LIVEKIT_API_SECRET", "other")
    with pytest.raises(
        ConfigurationError, match=f"^{VARIABLES[there]} is set but {VARIABLES[missing]} is not"
    ) as caught:
        find_credentials(None, None)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("key", "secret"), [("k", None), (None, "s"), ("k", ""), ("", "s")])
def test_half_a_pair_of_arguments_is_an_error_whatever_the_environment_holds(
    monkeypatch: pytest.MonkeyPatch, key: str | None, secret: str | None
) -> None:
    monkeypatch.setenv("LIVEKIT_API_KEY", "k")
    monkeypatch.setenv("LIVEKIT_API_SECRET", "s")
    with pytest.raises(ConfigurationError, match=r"api_(key|secret) is set but api_(secret|key) is not"):
        find_credentials(key, secret)


@pytest.mark.parametrize(("key", "secret"), [(5, "hunter2"), ("hunter2", b"hunter2")])
def test_a_pair_is_of_strings(key: Any, secret: Any) -> None:
    with pytest.raises(ConfigurationError, match="api_key and api_secret must both be str") as caught:
        given_credentials(key, secret)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("key", "secret"), [("key", "hunter2\udcff"), ("key\udcff", "hunter2")])
def test_a_pair_can_be_written_down(key: str, secret: str) -> None:
    """As an environment that is not in UTF-8 gives it."""
    with pytest.raises(ConfigurationError, match="api_key and api_secret must be UTF-8 text") as caught:
        given_credentials(key, secret)
    assert "hunter2" not in str(caught.value)


def test_a_token_provider_stands_alone() -> None:
    assert given_credentials(token, None) == Credentials(token)
    with pytest.raises(ConfigurationError, match="api_secret must be left out"):
        given_credentials(token, "s")


def test_credentials_are_shown_nowhere() -> None:
    credentials = Credentials("k-hunter2", "s-hunter2")
    for shown in (repr(credentials), str([credentials]), f"{credentials}", repr(credentials.__rich_repr__())):
        assert "hunter2" not in shown


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("environment", "argument", "base"),
    [
        ({}, None, "wss://agent-gateway.livekit.cloud/v1"),
        ({"LIVEKIT_URL": "wss://me.livekit.cloud"}, None, "wss://agent-gateway.livekit.cloud/v1"),
        ({"LIVEKIT_URL": "wss://me.staging.livekit.cloud"}, "", "wss://agent-gateway.staging.livekit.cloud/v1"),
        (
            {"LIVEKIT_INFERENCE_URL": "http://localhost:9/", "LIVEKIT_URL": "wss://me.staging.livekit.cloud"},
            None,
            "ws://localhost:9",
        ),
        ({"LIVEKIT_INFERENCE_URL": ""}, None, "wss://agent-gateway.livekit.cloud/v1"),
        ({"LIVEKIT_INFERENCE_URL": "http://localhost:9"}, "wss://mine/v1/", "wss://mine/v1"),
    ],
)
def test_the_base_address(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], argument: str | None, base: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert find_base(argument) == base


def test_a_wrong_address_is_named_by_where_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="the url of LiveKit"):
        find_base("ftp://host")
    monkeypatch.setenv("LIVEKIT_INFERENCE_URL", "host:80")
    with pytest.raises(ConfigurationError, match="LIVEKIT_INFERENCE_URL"):
        find_base(None)


# ---------------------------------------------------------------- handshakes


async def test_a_dial_carries_a_fresh_token_and_our_name() -> None:
    before = int(time.time())
    made = await dial("wss://host/v1/stt", Credentials("the-key", LONG))
    headers = dict(made.headers)
    kind, encoded = headers["Authorization"].split(" ")
    claims = json.loads(list(parts(encoded))[1])
    assert (kind, made.url) == ("Bearer", "wss://host/v1/stt")
    assert before <= claims["nbf"] <= time.time()
    assert headers["User-Agent"].startswith("trio-speech/")


async def test_a_token_provider_is_asked_for_each_dial_and_its_answer_is_the_token() -> None:
    asked: list[str] = []

    async def provider() -> str:
        asked.append(f"token{len(asked)}")
        return asked[-1]

    credentials = Credentials(provider)
    tokens = [dict((await dial("wss://host", credentials)).headers)["Authorization"] for _ in range(2)]
    assert tokens == ["Bearer token0", "Bearer token1"]


async def test_a_token_that_no_header_can_hold_is_refused() -> None:
    async def provider() -> str:
        return "hunter2\r\nX-Other: 1"

    with pytest.raises(ConfigurationError, match="the token that api_key returned") as caught:
        await dial("wss://host", Credentials(provider))
    assert "hunter2" not in str(caught.value)


async def test_without_credentials_only_our_name_is_sent() -> None:
    assert [name for name, _ in (await dial("ws://host", None)).headers] == ["User-Agent"]


async def test_a_dial_shows_no_token() -> None:
    made = await dial("wss://host", Credentials(token))
    for shown in (repr(made), repr(made.__rich_repr__())):
        assert "bearer" not in shown.lower()
