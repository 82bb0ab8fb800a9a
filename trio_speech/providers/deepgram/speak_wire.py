"""The messages of Deepgram's speech synthesis, ``/v1/speak``, identified by their field ``type``.

Audio comes in binary frames.

Source: Deepgram's AsyncAPI specification (deepgram-api-specs) and deepgram-sdk 7.17.0 (PyPI), ``speak/v1``.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from .._json import TaggedUnion


class Metadata(Struct, frozen=True, tag=True):
    """The first message."""

    request_id: str | None = None


class Flushed(Struct, frozen=True, tag=True):
    """All audio of a flush has been sent. `sequence_id` counts these, from a start that is not documented."""

    sequence_id: int | float | None = None


class Cleared(Struct, frozen=True, tag=True):
    """The answer to `Clear`: no more audio of the cleared text follows."""

    sequence_id: int | float | None = None


class Warning(Struct, frozen=True, tag=True):  # the protocol's own name
    """A request was ignored. Older versions of the service have `warn_code` and `warn_msg`."""

    code: str | None = None
    description: str | None = None
    warn_code: str | None = None
    warn_msg: str | None = None


class Error(Struct, frozen=True, tag=True):
    """An error, before the service closes the connection. Its fields are not specified; these occur."""

    description: str | None = None
    message: str | None = None
    code: str | None = None
    err_code: str | None = None
    request_id: str | None = None


class Speak(Struct, frozen=True, tag=True):
    text: str


class Flush(Struct, frozen=True, tag=True):
    pass


class Clear(Struct, frozen=True, tag=True):
    pass


class Close(Struct, frozen=True, tag=True):
    pass


ServerMessage: TypeAlias = Metadata | Flushed | Cleared | Warning | Error
from_server: TaggedUnion[ServerMessage] = TaggedUnion(ServerMessage)
ClientMessage: TypeAlias = Speak | Flush | Clear | Close
from_client: TaggedUnion[ClientMessage] = TaggedUnion(ClientMessage)
