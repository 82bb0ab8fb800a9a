"""The causes for which a connection ends or cannot be made, as data types. `str()` of each is one line for logs.

A cause says only what was observed. `verdict` decides whether to try again; `error_of` makes a public error of it.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from ...errors import (
    AuthenticationError,
    ConnectFailed,
    LinkError,
    ProtocolError,
    ProviderError,
    QuotaError,
    SpeechError,
)
from ..provider.messages import Failure


class Unreachable(Struct, frozen=True):
    """The dial failed before any HTTP response: in name resolution, TCP or TLS.

    `permanent`: whether another dial would fail in the same way (a bad certificate).
    """

    reason: str
    permanent: bool = False

    def __str__(self) -> str:
        return f"could not connect: {self.reason}"


class Refused(Struct, frozen=True):
    """The handshake was answered with an HTTP status other than 101.

    `retry_after`: in seconds. `location`: the target of a redirection. It is shown in the error and never followed,
    since the credentials are meant for the address that the user gave.
    """

    status: int
    reason: str = ""
    retry_after: float | None = None
    request_id: str | None = None
    location: str | None = None

    def __str__(self) -> str:
        return f"handshake refused with HTTP {self.status}" + (f": {self.reason}" if self.reason else "")


class PeerClosed(Struct, frozen=True):
    """The service closed the websocket with a close frame."""

    code: int
    reason: str = ""

    def __str__(self) -> str:
        return f"closed by the service with code {self.code}" + (f": {self.reason}" if self.reason else "")


class Broken(Struct, frozen=True):
    """The byte stream ended without a close frame: a reset, EOF, or a frame that could not be written whole."""

    reason: str

    def __str__(self) -> str:
        return f"connection broken: {self.reason}"


class Silent(Struct, frozen=True):
    """The service did not send what was expected (`what`, for the message) within `seconds`."""

    what: str
    seconds: float

    def __str__(self) -> str:
        return f"no {self.what} within {self.seconds:g} s"


class Malformed(Struct, frozen=True):
    """The service sent a message that its protocol does not allow. Its content is lost, so audio must be sent again."""

    reason: str

    def __str__(self) -> str:
        return f"malformed message from the service: {self.reason}"


class Reported(Struct, frozen=True):
    """The service reported an error by a message of its protocol."""

    failure: Failure

    def __str__(self) -> str:
        code = "" if self.failure.code is None else f" {self.failure.code}"
        return f"error{code} from the service: {self.failure.message}"


class Ended(Struct, frozen=True):
    """The service ended the session, by a message of its protocol or by closing the connection regularly."""

    def __str__(self) -> str:
        return "session closed by the service"


class EndpointDown(Struct, frozen=True):
    """The session waited `waited` seconds for a dial, or for its turn, while no dial to the endpoint succeeded."""

    waited: float

    def __str__(self) -> str:
        return f"no dial to the service succeeds at the moment; waited {self.waited:.1f} s"


class Rollover(Struct, frozen=True):
    """The session moves to a fresh connection by plan, before the service ends this one."""

    def __str__(self) -> str:
        return "planned move to a fresh connection"


class Unread(Struct, frozen=True):
    """The session closed the connection because the user has not read `size` bytes of transcripts.

    The next connection is opened when the user has read so many that half of the limit is free again.
    """

    size: int

    def __str__(self) -> str:
        return f"{self.size / 2**20:.1f} MiB of transcripts wait to be read"


Cause: TypeAlias = (
    Unreachable
    | Refused
    | PeerClosed
    | Broken
    | Silent
    | Malformed
    | Reported
    | Ended
    | EndpointDown
    | Rollover
    | Unread
)

_REDIRECTIONS = frozenset({301, 302, 303, 307, 308})
_ADVICE: dict[int | str | None, str] = {
    400: "; check the model's name and the options",
    404: "; check the model's name and the options",
    407: "; give the proxy's credentials in its address: http://user:password@host:port",
}

QUOTA_TYPE = "inference_quota_exceeded"
"""The LiveKit gateway's error type, in a refusal's body, for a quota that waiting does not restore."""


def error_of(
    cause: Cause, *, retryable: bool, endpoint: str, model: str | None = None, attempt: int | None = None
) -> SpeechError:
    """Returns the public error for `cause`, whose message says what to do about it.

    The other arguments are stored in the error's attributes of the same names.
    """
    error = _error_of(cause)
    error.endpoint, error.model, error.attempt = endpoint, model, attempt
    if isinstance(error, ProviderError):
        error.retryable = retryable
    return error


def _error_of(cause: Cause) -> SpeechError:
    text = str(cause)
    match cause:
        case Refused(status=code, request_id=request_id, retry_after=after):
            return _refusal(text + _moved(cause), code, request_id, after, advice=_ADVICE.get(code, ""))
        case Reported(failure=Failure(code=code, request_id=request_id, retry_after=after)):
            # Where the service says why it refuses, no general advice can say it better.
            advice = "" if cause.failure.message else _ADVICE.get(code, "")
            return _refusal(text, code, request_id, after, advice=advice)
        case PeerClosed(code=code):
            return ProviderError(text, code=code)
        case Malformed():
            return ProtocolError(text)
        case Unreachable():
            return ConnectFailed(text)
        case _:
            return LinkError(text)


def _refusal(
    text: str, code: int | str | None, request_id: str | None, retry_after: float | None, *, advice: str
) -> ProviderError:
    if code in {401, 403}:
        advice = "; check the credentials and what they permit"
        return AuthenticationError(text + advice, code=code, request_id=request_id)
    if code in {402, 429} or QUOTA_TYPE in text:
        advice = "; fewer sessions at once, or a larger quota, are needed"
        error = QuotaError(text + advice, code=code, request_id=request_id)
        error.retry_after = retry_after
        return error
    return ProviderError(text + advice, code=code, request_id=request_id)


def _moved(refused: Refused) -> str:
    """Returns the advice after a redirection, or an empty string. A query may hold a credential, so it is left out."""
    if refused.status not in _REDIRECTIONS:
        return ""
    where = "" if refused.location is None else f" to {refused.location.partition('?')[0]}"
    return f"; the service has moved{where}: give its new address as the url of the backend"
