"""One link of a session at work, for tests: what its service says, and what it does by itself.

A sample is a millisecond. Speech is loud; what is quiet is silence.
"""

from __future__ import annotations

from array import array
from typing import Any

from msgspec.structs import replace

from trio_speech._core.provider.messages import (
    RecognitionResult,
    SttMessage,
)
from trio_speech._core.provider.profile import SttProfile
from trio_speech._core.recognition.commands import Command, EndLink, SendAudio, Wait
from trio_speech._core.recognition.link import LinkMachine
from trio_speech._core.recognition.session import RecognitionMachine
from trio_speech.audio import AudioFormat
from trio_speech.events import FinalTranscript, Gap
from trio_speech.policy import ReplayPolicy

SPANS = SttProfile(chunk=0.1, replay_speed=None)
ORDERED = replace(SPANS, ordered=True)
UNTRUSTED = replace(SPANS, acknowledges="finalize", exact_times=False, word_times=False)
BY_CLOSE = replace(ORDERED, ends_by="close", may_ignore_finalize=True)
ASKED = replace(ORDERED, finalizes_itself=False, endpoint_after=0.3)
CAPPED = replace(ORDERED, session_cap=100.0)  # to be left at 90 s, by 97 s
IDLE = replace(SPANS, idle_codes=(1011, "idle"))


def loud(samples: int) -> bytes:
    return array("h", [5_000] * samples).tobytes()


def quiet(samples: int) -> bytes:
    return bytes(2 * samples)


class Run:
    """One link at work on a session, whose commands are carried out at once."""

    def __init__(self, profile: SttProfile, session: RecognitionMachine | None = None, now: float = 0.0, **fields: Any):
        self.session = session or RecognitionMachine(AudioFormat.pcm16(1_000), ReplayPolicy(lead_in=0.0))
        self.profile = profile
        self.base = self.session.log.committed / 1e3  # where the link's clock begins: there is no lead-in
        self.link = LinkMachine(
            self.session, profile, now, **{"patience": 10.0, "progress_timeout": None, "opened_at": None, **fields}
        )

    def again(self, now: float = 0.0, **fields: Any) -> Run:
        """The next link of the session."""
        self.link.lost()
        return Run(self.profile, self.session, now, **fields)

    def capture(self, audio: bytes, now: float = 0.0) -> list[Command]:
        self.session.capture(audio)
        return self.at(now)

    def end(self, now: float = 0.0) -> list[Command]:
        self.session.end_input()
        return self.at(now)

    def at(self, now: float) -> list[Command]:
        """What is done at that moment, but for audio that goes out and the wait at the end."""
        done: list[Command] = []
        while not done or not isinstance(done[-1], Wait | EndLink):
            done.append(self.link.next(now))
        return [each for each in done if not isinstance(each, SendAudio | Wait)]

    def wakes(self, now: float) -> float | None:
        self.at(now)
        wait = self.link.next(now)
        assert isinstance(wait, Wait)
        return wait.until

    def says(self, *messages: SttMessage, now: float = 0.0) -> None:
        for message in messages:
            assert self.link.receive(message, now) is None

    @property
    def committed(self) -> int:
        return self.session.log.committed

    def told(self) -> list[Any]:
        return [self.session.take() for _ in range(len(self.session.event_queue))]

    def texts(self) -> list[str]:
        return [event.text for event in self.told() if isinstance(event, FinalTranscript)]

    def gaps(self) -> list[tuple[float, float, str]]:
        self.session.end()
        return [(event.start, event.end, event.reason) for event in self.told() if isinstance(event, Gap)]


def result(start: float, end: float, text: str = "one", *, kind: Any = "final", **fields: Any) -> RecognitionResult:
    return RecognitionResult(kind=kind, text=text, start=start, end=end, **fields)


def interim(start: float, end: float, text: str = "one", **fields: Any) -> RecognitionResult:
    return result(start, end, text, kind="interim", **fields)
