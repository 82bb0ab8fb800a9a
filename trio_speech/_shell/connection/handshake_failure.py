"""Finds out why a handshake failed: what the server answered instead, or what is wrong with its answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import h11
import trio_websocket as tw
from wsproto.utilities import RemoteProtocolError

from ..._core.retry.causes import Cause, Malformed, Refused, Unreachable
from ..._core.retry.retry_after import retry_after_of
from .lifetime import LinkDown
from .redaction import Redactor
from .shared_stream import SharedStream


def cause_of(error: BaseException, redactor: Redactor) -> Cause:
    """Returns the cause that an exception of trio-websocket stands for; of a group, that of the first exception."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, LinkDown):
        return error.cause
    if isinstance(error, tw.ConnectionRejected):
        return refusal(error.status_code, error.headers, error.body or b"", redactor)
    return Unreachable(redactor.text(f"the websocket failed: {_protocol_error_in(error)}"))


def cause_in(stream: SharedStream, redactor: Redactor) -> Cause:
    """Returns the cause of a handshake that was cancelled, found in as much of the answer as had come."""
    answer = _answer_in(stream.opening)
    if answer is not None:
        return refusal(*answer, redactor)
    if stream.fault:
        return Malformed(stream.fault)
    return Unreachable(f"the handshake was not answered: {stream.ended}")


def _answer_in(data: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes] | None:
    """Returns status, headers and the body so far, or ``None`` if `data` holds no head of a refusal."""
    http = h11.Connection(h11.CLIENT)
    http.send(h11.Request(method="GET", target="/", headers=[("Host", "any")]))
    http.receive_data(data)
    answer: h11.Response | None = None
    body = b""
    try:
        for event in iter(http.next_event, h11.NEED_DATA):
            if isinstance(event, h11.Response):
                answer = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif not isinstance(event, h11.InformationalResponse):
                break
    except h11.RemoteProtocolError:
        pass
    return (answer.status_code, list(answer.headers), body) if answer else None


def _protocol_error_in(error: BaseException) -> BaseException:
    """Returns the exception that says what is wrong with the server's answer, if there is one in the contexts.

    trio-websocket tries to tell the server, and that fails too: so the error to report is in a ``__context__``.
    """
    found: BaseException | None = error
    while found is not None and not isinstance(found, RemoteProtocolError):
        found = found.__context__
    return found or error


def refusal(status: int, fields: Iterable[tuple[bytes, bytes]], body: bytes, redactor: Redactor) -> Refused:
    """Returns the cause for an HTTP answer other than 101."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in fields}
    reason = body.decode("utf-8", "replace")
    if not reason.strip():  # some services say it in a header instead, such as ``dg-error``
        reason = next((value for name, value in headers.items() if name.endswith("-error")), "")
    retry_after = retry_after_of(headers.get("retry-after"), datetime.now(UTC))
    request_id = next((value for name, value in headers.items() if name.endswith("request-id")), None)
    location = headers.get("location")
    return Refused(
        status, redactor.text(reason), retry_after, redactor.optional(request_id), redactor.optional(location)
    )
