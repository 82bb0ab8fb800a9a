"""Everything that can go wrong, cut by whose turn it is to act.

    SpeechError
    ├── ConfigurationError      you: an argument, a credential or an option is wrong; nothing was sent
    ├── ProviderError           the service refused, and said so
    │   ├── AuthenticationError     …the credentials
    │   └── QuotaError              …for now, or for this account
    ├── LinkError               the network: no service was reached, or not for long enough
    │   ├── ConnectFailed           …one dial
    │   └── RetriesExhausted        …all that the policy allows
    ├── ProtocolError           the service said what its protocol does not
    ├── ReplayOverflow          the log is full and the policy is to say so
    └── InternalError           us: please report it

Use after your own close raises `trio.ClosedResourceError`, as everywhere in trio. A message names the endpoint, the
model and the attempt where they are known, and what to do; it never holds a secret, audio or a transcript.
"""

from __future__ import annotations


class SpeechError(Exception):
    """The root of all errors of this library. `endpoint` and `model` are those of the failed attempt, or ``None``."""

    def __init__(
        self, message: str, *, endpoint: str | None = None, model: str | None = None, attempt: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.endpoint = endpoint
        self.model = model
        self.attempt = attempt

    def __str__(self) -> str:
        named = {"endpoint": self.endpoint, "model": self.model, "attempt": self.attempt}
        where = ", ".join(f"{name} {value}" for name, value in named.items() if value is not None)
        return f"{self.message} [{where}]" if where else self.message


class ConfigurationError(SpeechError):
    """An argument, an environment variable or a combination of them is wrong. Raised before anything is sent."""


class ProviderError(SpeechError):
    """The service refused. `code` is its own (HTTP status, close code or in-band code).

    `retryable` is true where that may pass: the same may be asked again later.
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
    """The credentials were refused. Never retried."""


class QuotaError(ProviderError):
    """Too many sessions, or no credit left. `retry_after` is in seconds, where the service names it."""

    retry_after: float | None = None


class LinkError(SpeechError):
    """The connection could not be made, or could not be kept."""


class ConnectFailed(LinkError):
    """One dial failed: no such host, refused, no valid certificate, no answer in time."""


class RetriesExhausted(LinkError):
    """The service did not come back within what the `RetryPolicy` allows. `__cause__` is the last failure."""

    def __init__(
        self, message: str, *, attempts: int = 0, endpoint: str | None = None, model: str | None = None
    ) -> None:
        super().__init__(message, endpoint=endpoint, model=model)
        self.attempts = attempts


class ProtocolError(SpeechError):
    """The service sent what its protocol does not allow."""


class ReplayOverflow(SpeechError):
    """The replay log is full under ``overflow="error"``. Nothing of the refused chunk was taken."""


class InternalError(SpeechError):
    """A defect of this library. `__cause__` holds what happened; please report it."""


class PlaintextCredentialsWarning(UserWarning):
    """Credentials are sent to another machine over plain ``ws://``. Warned of once for each client and service."""
