"""Text of a server's is shown on one line, bounded, and without a run of ten characters of a credential."""

from __future__ import annotations

import base64
import logging

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.provider.messages import Failure
from trio_speech._shell.connection.redaction import Redactor, redact_library_log
from trio_speech._shell.network.secret_headers import credentials_in
from trio_speech.providers._codec import Dial

CREDENTIALS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=60)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nothing of it", "nothing of it"),
        ("未知 – Grüße", "未知 – Grüße"),
        ("key abcdefghijkl!", "key [credential]!"),
        ("abcdefghijkl", "[credential]"),
        ("abcdefghijklabcdefghijkl", "[credential]"),
        ("abcdefghij and ijkl", "[credential] and ijkl"),
        ("abcdefghi", "abcdefghi"),
        ("hunter2!", "[credential]!"),
        ("hunter", "hunter"),
        ("two\r\nlines\x1b[2J\u202e\x00", r"two\r\nlines\x1b[2J\u202e\x00"),
        ("x" * 600, "x" * 500),
        ("", ""),
    ],
)
def test_what_is_shown_of_a_text(text: str, shown: str) -> None:
    assert Redactor(["abcdefghijkl", "hunter2"]).text(text) == shown


@given(CREDENTIALS, st.text(max_size=50), st.text(max_size=50))
def test_no_credential_survives_between_other_texts(credential: str, before: str, after: str) -> None:
    shown = Redactor([credential]).text(before + credential + after)
    assert credential not in shown
    assert shown.isprintable()


@given(CREDENTIALS.filter(lambda text: len(text) > 12), st.binary(max_size=20), st.binary(max_size=20))
def test_no_credential_survives_inside_base64(credential: str, before: bytes, after: bytes) -> None:
    encoded = base64.b64encode(before + credential.encode() + after).decode()
    own = len(credential) * 8 // 6 - 2
    assert len(Redactor([credential]).text(encoded).replace("[credential]", "")) <= len(encoded) - own + 2


def test_a_short_value_is_no_credential() -> None:
    assert Redactor(["token", "key", ""]).text("the token is no key") == "the token is no key"


def test_all_texts_of_a_failure_are_redacted() -> None:
    failure = Failure(message="a\nabcdefghijkl", code="abcdefghijkl", request_id="abcdefghijkl", retry_after=2.0)
    shown = Redactor(["abcdefghijkl"]).message(failure)
    assert shown == Failure(message="a\\n[credential]", code="[credential]", request_id="[credential]", retry_after=2.0)
    assert Redactor().message(Failure(message="m", code=401)) == Failure(message="m", code=401)


async def test_the_log_of_the_library_is_redacted_for_our_connections_only(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "trio-websocket")

    async def connection() -> None:
        redact_library_log(Redactor(["abcdefghijkl"]))
        logging.getLogger("trio-websocket").debug("closed %r", "abcdefghijkl\n")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection)
    logging.getLogger("trio-websocket").debug("a program's own %s", "abcdefghijkl")
    assert caplog.messages == [r"closed '[credential]\n'", "a program's own abcdefghijkl"]


def test_which_parts_of_a_dial_are_credentials() -> None:
    dial = Dial(
        "wss://speech.test/?model=x",
        (
            ("Authorization", "Bearer one"),
            ("X-API-Key", "two"),
            ("User-Agent", "agent"),
            ("Speech-Version", "2026-01-01"),
        ),
        (("access_token", "three"),),
        ("token", "four"),
    )
    assert list(credentials_in(dial)) == ["one", "two", "three", "token", "four"]
