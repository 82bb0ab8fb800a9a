"""A client in a thread of its own: what comes of a recording is a value, and only what fails all is raised."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import trio_speech as ts
from trio_speech.bulk import BulkOptions, Transcriber
from trio_speech.bulk.sample_rates import sample_rate_for
from trio_speech.testing import Manner, Refuse

Make = Callable[[int], dict[str, str]]


def test_recordings_are_recognized_in_many_threads_by_one_client(service: Any, recordings: Make) -> None:
    said = recordings(6)
    with Transcriber(service.backend) as transcriber:
        results = transcriber.transcribe_all(said)
    assert {result.file: result.text for result in results} == said
    assert [result.file for result in results] == list(said)
    assert all(result.statistics and result.statistics.billed == result.seconds > 0 for result in results)
    assert not [thread for thread in threading.enumerate() if thread.name == "trio_speech"]


class OnlyAt24kHz:
    """A backend that takes no other sample rate."""

    def __init__(self, backend: ts.Backend) -> None:
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def recognizer(self, request: Any) -> Any:
        if request.audio_format.sample_rate != 24_000:
            raise ts.ConfigurationError("sample_rate must be 24,000")
        return self._backend.recognizer(request)


def test_recordings_are_sent_at_a_rate_that_the_backend_takes(service: Any, recordings: Make) -> None:
    (name,) = recordings(1)
    for backend, rate in ((service.backend, 16_000), (OnlyAt24kHz(service.backend), 24_000)):
        with Transcriber(backend) as transcriber:
            assert transcriber.transcribe(name).error is None
        assert service.gateway.visits[-1].sample_rate == rate


def test_the_rate_is_one_that_all_backends_take() -> None:
    deepgram, openai = ts.Deepgram("key"), ts.OpenAI("key")
    assert sample_rate_for([deepgram]) == 16_000
    assert sample_rate_for([openai]) == sample_rate_for([deepgram, openai]) == 24_000
    assert sample_rate_for([ts.Deepgram("key")], "no/model") == 16_000


def test_what_is_wrong_with_a_file_is_final(service: Any, recordings: Make, tmp_path: Path) -> None:
    (name,) = recordings(1)
    Path(tmp_path / "text.wav").write_text("not a recording, whatever its name says")
    cut = tmp_path / "cut.wav"
    cut.write_bytes(Path(name).read_bytes()[:-8_000])
    empty = tmp_path / "empty.wav"
    empty.write_bytes(Path(name).read_bytes()[:40] + bytes(4))
    with Transcriber(service.backend) as transcriber:
        attempts = {path.name: transcriber.attempt(str(path)) for path in (tmp_path / "text.wav", cut, empty)}
        absent = transcriber.attempt(str(tmp_path / "absent.wav"))
    assert not any(attempt.may_succeed or attempt.ends_all for attempt in [*attempts.values(), absent])
    assert absent.result.error == f"{tmp_path}/absent.wav: No such file or directory"
    assert "it is cut short" in (attempts["cut.wav"].result.error or "")
    assert attempts["cut.wav"].result.text == "number0"
    assert "holds no audio" in (attempts["empty.wav"].result.error or "")


def test_what_is_wrong_with_the_service_may_pass(service: Any, recordings: Make) -> None:
    (name,) = recordings(1)
    service.plan(*[Refuse(503)] * 2)
    options = BulkOptions(retry=ts.RetryPolicy(max_attempts=1, base_delay=0.001))
    with Transcriber(service.backend, options) as transcriber:
        attempt = transcriber.attempt(name)
        assert (attempt.may_succeed, attempt.ends_all) == (True, None)
        assert attempt.result.error is not None
        assert transcriber.transcribe(name).error is None


def test_refused_credentials_are_raised(service: Any, recordings: Make) -> None:
    (name,) = recordings(1)
    service.plan(Refuse(401))
    with Transcriber(service.backend) as transcriber, pytest.raises(ts.AuthenticationError):
        transcriber.transcribe(name)


def test_wrong_options_are_raised(recordings: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    (name,) = recordings(1)
    for variable in ("LIVEKIT_API_KEY", "LIVEKIT_INFERENCE_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    with Transcriber(ts.LiveKit()) as transcriber, pytest.raises(ts.ConfigurationError, match="API_KEY"):
        transcriber.transcribe(name)


def test_a_client_that_cannot_be_opened_is_told_at_once() -> None:
    with pytest.raises(ts.ConfigurationError, match="must name at least one backend"):
        Transcriber([])


def test_closing_ends_what_is_being_recognized(service: Any, recordings: Make) -> None:
    (name,) = recordings(1)
    service.gateway.manner = Manner(pace=0.01)
    transcriber = Transcriber(service.backend)
    attempts = list[Any]()
    waiting = threading.Thread(target=lambda: attempts.append(transcriber.attempt(name)))
    waiting.start()
    while not service.gateway.open:
        time.sleep(0.01)
    transcriber.close()
    waiting.join()
    assert (attempts[0].may_succeed, attempts[0].result.error) == (True, "the worker was stopped")


def test_a_client_that_has_ended_is_opened_anew(service: Any, recordings: Make) -> None:
    (name,) = recordings(1)
    transcriber = Transcriber(service.backend)
    transcriber.close()
    assert transcriber.transcribe(name).text == "number0"
    transcriber.close()
