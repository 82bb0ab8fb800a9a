from __future__ import annotations

import pickle

import pytest

from trio_speech import errors
from trio_speech.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectFailed,
    InternalError,
    LinkError,
    ProtocolError,
    ProviderError,
    QuotaError,
    ReplayOverflow,
    RetriesExhausted,
    SpeechError,
)

TREE = {
    ConfigurationError: SpeechError,
    ProviderError: SpeechError,
    AuthenticationError: ProviderError,
    QuotaError: ProviderError,
    LinkError: SpeechError,
    ConnectFailed: LinkError,
    RetriesExhausted: LinkError,
    ProtocolError: SpeechError,
    ReplayOverflow: SpeechError,
    InternalError: SpeechError,
    SpeechError: Exception,
}


def test_the_tree_is_the_one_that_is_drawn() -> None:
    defined = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, SpeechError)}
    assert defined == TREE.keys()
    drawn = errors.__doc__ or ""
    for error, parent in TREE.items():
        assert error.__bases__ == (parent,)
        assert error.__name__ in drawn


@pytest.mark.parametrize("error", TREE)
def test_a_message_names_where_and_what_where_they_are_known(error: type[SpeechError]) -> None:
    assert str(error("it failed")) == "it failed"
    failed = error("it failed", endpoint="wss://here", model="a/b")
    assert str(failed) == "it failed [endpoint wss://here, model a/b]"
    failed.attempt = 0
    assert str(failed).endswith(", attempt 0]")


@pytest.mark.parametrize("error", TREE)
def test_errors_cross_process_boundaries(error: type[SpeechError]) -> None:
    failed = error("it failed", endpoint="wss://here")
    again = pickle.loads(pickle.dumps(failed))
    assert type(again) is error
    assert vars(again) == vars(failed)


def test_a_refusal_carries_the_words_of_the_service() -> None:
    failed = ProviderError("no", code=418, request_id="r1", retryable=True, attempt=3)
    assert (failed.code, failed.request_id, failed.retryable, failed.attempt) == (418, "r1", True, 3)
    assert QuotaError("no").retry_after is None
    assert RetriesExhausted("no", attempts=7).attempts == 7
