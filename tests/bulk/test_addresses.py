"""What results call a recording, and that no credential of an address is shown."""

from __future__ import annotations

import os

import pytest

from trio_speech.bulk import recording_name
from trio_speech.bulk.addresses import without_credentials

S3 = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261128&X-Amz-Signature=feedbeef0123"
AZURE = "sv=2024-05-04&ss=b&srt=o&sp=r&se=2027-01-01T00%3A00%3A00Z&sig=c2VjcmV0%2Fc2VjcmV0"
HOST = "https://host/calls/1.wav"


@pytest.mark.parametrize(
    "name",
    [
        "/calls/1.wav",
        "/calls/a?token=1@2.wav",
        "s3://bucket/calls/a#b ü?.wav",
        "s3://bucket/who@where/1.wav",
        "https://host/1.wav?id=17&side=left",
        "https://host/1.wav?",
        "simplecache::https://host/1.wav",
    ],
)
def test_a_name_without_credentials_is_kept_letter_by_letter(name: str) -> None:
    assert recording_name(name) == name


def test_a_path_that_is_not_utf_8_has_a_name_that_is() -> None:
    assert recording_name(os.fsdecode(b"/calls/\xff.wav")) == "/calls/\\xff.wav"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://user:pa@ss@host:8443/calls/1.wav", "https://host:8443/calls/1.wav"),
        ("simplecache::https://user:pass@host/calls/1.wav", "simplecache::https://host/calls/1.wav"),
        (f"{HOST}?{S3}", HOST),
        (f"{HOST}?versionId=7&{S3.lower()}", f"{HOST}?versionId=7"),
        (f"{HOST}?{AZURE}&snapshot=3", f"{HOST}?snapshot=3"),
        (f"{HOST}?id=1&Expires=99&Signature=feedbeef&Key-Pair-Id=K2", f"{HOST}?id=1"),
    ],
)
def test_what_signs_an_address_is_no_part_of_the_name(address: str, name: str) -> None:
    assert recording_name(address) == name


def test_a_token_tells_two_recordings_apart_but_is_not_shown() -> None:
    first, again, second = (recording_name(f"{HOST}?access_token={token}") for token in ("abcd12", "abcd12", "abcd34"))
    assert first == again != second
    assert "abcd" not in first + second


@pytest.mark.parametrize(
    ("address", "secrets"),
    [
        ("https://user:passw0rd@host/1.wav", ["passw0rd"]),
        (f"{HOST}?{S3}", ["AKIDEXAMPLE", "feedbeef0123"]),
        (f"{HOST}?{AZURE}", ["c2VjcmV0"]),
        (f"{HOST}?token=t0ken%2Ft0ken", ["t0ken"]),
    ],
)
def test_no_credential_of_an_address_is_left_in_a_text(address: str, secrets: list[str]) -> None:
    query = address.partition("?")[2].replace("%2F", "/")
    text = without_credentials(f"GET {address} ({query or secrets}): refused", address)
    assert [secret for secret in secrets if secret in text] == []
    assert text.startswith(f"GET {recording_name(address)} (")
    assert text.endswith("): refused")
