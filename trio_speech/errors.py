"""The errors of this library, ordered by whose turn it is to act.

    SpeechError                     the root; catch it to catch all of the below
    ├── ConfigurationError          you: an argument, credential or option is wrong; nothing was sent
    ├── ProviderError               the service refused the request, and said so
    │   ├── AuthenticationError         check the credentials and what they permit
    │   └── QuotaError                  wait, use fewer sessions at once, or raise the quota of the account
    ├── LinkError                   the network: no connection could be made, or none lasted
    │   ├── ConnectFailed               one dial failed; the session retries unless another dial cannot do better
    │   └── RetriesExhausted            all attempts that the RetryPolicy allows have failed
    ├── ProtocolError               the service sent something that its protocol does not allow
    ├── ReplayOverflow              you: read faster, or set another ReplayPolicy.overflow
    └── InternalError               us: a defect of this library; please report it

Using a client or a session after it was closed raises `trio.ClosedResourceError`, as elsewhere in trio. A message names
the endpoint, the model and the attempt where they are known, and says what to do. No message holds a credential, audio
or a transcript.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .events import AudioClip, Recognition


class SpeechError(Exception):
    """The root of all errors of this library.

    Attributes:
        message: What went wrong and what to do, without the part in brackets that ``str()`` adds.
        endpoint: The address of the service that failed, without credentials; ``None`` where there was none.
        model: The model that was asked for; ``None`` where none was named.
        attempt: The number of the attempt to connect that failed; ``None`` where none was counted.
        partial: What the call had done before the error. After `Client.recognize`, a `Recognition` of all that was
            recognized; after `Client.render`, an `AudioClip` of all that was spoken; after `Client.transcribe`, a
            `Recognition` of what was recognized and not read yet. ``None`` on all other errors. Where it holds
            anything, a note of the exception (``__notes__``) says so.

    The error tree:

        SpeechError
        ├── ConfigurationError          you: an argument, credential or option is wrong; nothing was sent
        ├── ProviderError               the service refused the request
        │   ├── AuthenticationError     the credentials were refused
        │   └── QuotaError              too many sessions, or no credit left
        ├── LinkError                   the network
        │   ├── ConnectFailed           one dial failed
        │   └── RetriesExhausted        all attempts that the RetryPolicy allows have failed
        ├── ProtocolError               the service broke its own protocol
        ├── ReplayOverflow              the replay log is full
        └── InternalError               a defect of this library
    """

    def __init__(
        self, message: str, *, endpoint: str | None = None, model: str | None = None, attempt: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.endpoint = endpoint
        self.model = model
        self.attempt = attempt
        self.partial: Recognition | AudioClip | None = None

    def __str__(self) -> str:
        named = {"endpoint": self.endpoint, "model": self.model, "attempt": self.attempt}
        where = ", ".join(f"{name} {value}" for name, value in named.items() if value is not None)
        return f"{self.message} [{where}]" if where else self.message


class ConfigurationError(SpeechError):
    """An argument, an environment variable, or a combination of them is wrong. Raised before anything is sent."""


class ProviderError(SpeechError):
    """The service refused the request, or ended the session with an error.

    Attributes:
        code: The service's own code: an HTTP status, a websocket close code, or a code of its protocol.
        request_id: The service's name for the request, to quote to its support; ``None`` where it gives none.
        retryable: True where the same request may succeed later.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int | str | None = None,
        request_id: str | None = None,
        retryable: bool = False,
        endpoint: str | None = None,
        model: str | None = None,
        attempt: int | None = None,
    ) -> None:
        super().__init__(message, endpoint=endpoint, model=model, attempt=attempt)
        self.code = code
        self.request_id = request_id
        self.retryable = retryable


class AuthenticationError(ProviderError):
    """The service refused the credentials. A session never retries this; check the key and what it permits."""


class QuotaError(ProviderError):
    """Too many sessions at once, or no credit left on the account.

    Attributes:
        retry_after: Seconds after which the service says to try again; ``None`` where it does not say.
    """

    retry_after: float | None = None


class LinkError(SpeechError):
    """The connection could not be made, or broke and could not be replaced."""


class ConnectFailed(LinkError):
    """One dial did not reach the service: no such host, refused, no valid certificate. Most of these are retried."""


class RetriesExhausted(LinkError):
    """The service did not come back within what the `RetryPolicy` allows. ``__cause__`` is the last failure.

    Attributes:
        attempts: Attempts to reconnect that were made since the last progress.
    """

    def __init__(
        self, message: str, *, attempts: int = 0, endpoint: str | None = None, model: str | None = None
    ) -> None:
        super().__init__(message, endpoint=endpoint, model=model)
        self.attempts = attempts


class ProtocolError(SpeechError):
    """The service sent something that its protocol does not allow. The message quotes none of its content.

    A session retries it: it comes as the ``__cause__`` of `RetriesExhausted`.
    """


class ReplayOverflow(SpeechError):
    """The replay log is full, under ``ReplayPolicy(overflow="error")``. Nothing of the refused chunk was taken."""


class InternalError(SpeechError):
    """A defect of this library. ``__cause__`` holds what happened; please report it."""


class PlaintextCredentialsWarning(UserWarning):
    """Credentials are sent to another machine over unencrypted ``ws://``. Issued once for each client and service."""
