"""Names recordings by their addresses, without the credentials that an address may hold.

Results, errors and logs show the name; only what opens a recording uses the address.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from urllib.parse import unquote

from ..audio.names import readable

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(::|://)")
_USER = re.compile(r"(?<=://)[^/?#]*@")
# A signed URL says by these who may read it, and until when. They change each time that it is signed, and the recording
# stays the same. The first are of S3, Google Cloud Storage and CloudFront, the others of Azure.
_SIGNING = re.compile(r"x-(amz|goog)-.*|signature|expires|policy|key-pair-id|awsaccesskeyid|googleaccessid")
_AZURE_SIGNING = re.compile(r"s[vterp]|ss|srt|spr|sip|sig|sk(oid|tid|t|e|s|v)|saoid|suoid|scid|sdd|ses")
_SECRET = re.compile("token|key|secret|passw|auth|sig|credential")
_SHORTEST = 4
"""Shorter values are not looked for in texts: they would be found in ordinary words."""

Parameter = tuple[str, str]


def is_url(name: str) -> bool:
    """Whether a source is a URL, and not a path."""
    return _URL.match(name) is not None


def recording_name(address: str) -> str:
    """Returns the name that a recording has in results: its path, or its URL without credentials.

    Bytes of a path that are not UTF-8 are shown as in ``\\xff``, because results are Unicode.

    A user with a password is left out, and so is what signs a URL, so that a URL that was signed anew is recognized.
    The values of other parameters that look secret, such as a token, are replaced by a digest, because two recordings
    may differ by nothing else.
    """
    if not is_url(address):
        return readable(address)
    head, mark, query = _USER.sub("", address).partition("?")
    lasting = [_shown(key, value) for key, value in _lasting(query)]
    return head + (mark if lasting or not query else "") + "&".join(lasting)


def without_credentials(text: str, address: str) -> str:
    """Returns a text about a recording with each credential of its address replaced, however the text quotes it."""
    text = text.replace(address, recording_name(address))
    for secret in sorted(_secrets(address), key=len, reverse=True):
        text = text.replace(secret, "[credential]")
    return text


def _parameters(query: str) -> list[Parameter]:
    """Splits a query, and leaves the escapes in it as they are."""
    return [(pair.partition("=")[0], pair.partition("=")[2]) for pair in query.split("&")] if query else []


def _lasting(query: str) -> list[Parameter]:
    """Returns the parameters that are not there to sign the URL."""
    pairs = _parameters(query)
    is_azure = {"sv", "sig"} <= {key for key, _ in pairs}
    return [
        (key, value)
        for key, value in pairs
        if not (_SIGNING.fullmatch(key.lower()) or (is_azure and _AZURE_SIGNING.fullmatch(key.lower())))
    ]


def _shown(key: str, value: str) -> str:
    if not value:
        return key
    return f"{key}={hashlib.sha256(value.encode()).hexdigest()[:12] if _SECRET.search(key.lower()) else value}"


def _secrets(address: str) -> Iterator[str]:
    if not is_url(address):
        return
    user = _USER.search(address)
    values = [user[0], user[0].rstrip("@").partition(":")[2]] if user else []
    query = address.partition("?")[2]
    lasting = _lasting(query)
    values += [pair[1] for pair in _parameters(query) if pair not in lasting or _SECRET.search(pair[0].lower())]
    for value in values:
        yield from (form for form in (value, unquote(value)) if len(form) >= _SHORTEST)
