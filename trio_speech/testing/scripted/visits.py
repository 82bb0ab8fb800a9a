"""Records of what the scripted gateway received and sent, for tests to check. Times are trio's, in seconds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from ..._core.provider.messages import RecognitionResult
from ..._core.retry.causes import Cause
from ...audio.formats import AudioFormat
from ..speech import LabeledSpeech
from ..word_signal import AudibleWord, hear
from .faults import Act


@dataclass(frozen=True)
class Passed:
    """A message that was sent or received."""

    at: float
    """When, on trio's clock."""
    sender: Literal["client", "gateway"]
    """Who sent it."""
    kind: str
    """Its type on the wire."""
    samples: int = 0
    """Samples of audio in the message."""
    text: str = ""
    """The transcript, or the text to speak, in the message."""


@dataclass
class Visit:
    """The record of one dial, and of the connection that followed. Made by `ScriptedGateway`.

    All times but those of `finals` are on trio's clock, in seconds.
    """

    number: int
    """The number of the dial, counted from 1."""
    dialed: float
    """When the dial came."""
    act: Act = ()
    """The part of the plan that this dial took."""
    resource: str = ""
    """Path and query of the handshake."""
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    """The HTTP headers of the handshake, by their names in lower case."""
    opened: float | None = None
    """When the handshake was accepted."""
    ended: float | None = None
    """When the dial or the connection ended; ``None`` while it is open."""
    outcome: str = ""
    """How it ended, in a few words."""
    struck: list[tuple[float, object]] = field(default_factory=list)
    """The faults that happened, and when."""
    model: str | None = None
    """The model that the client asked for."""
    language: str | None = None
    """The language in force."""
    options: dict[str, object] = field(default_factory=dict)
    """The provider's own settings in force."""
    audio_format: AudioFormat | None = None
    """The format of the session's audio, both ways; ``None`` before a session is created."""
    passed: list[Passed] = field(default_factory=list)
    """All messages, in order."""
    audio: bytearray = field(default_factory=bytearray, repr=False)
    """All audio received, in `audio_format`."""
    keyterms: tuple[str, ...] = ()
    """The keyterms in force, on wires that have a field for them."""
    finals: list[RecognitionResult] = field(default_factory=list)
    """The finals that were sent, on this connection's own clock."""
    spoken: bytearray = field(default_factory=bytearray, repr=False)
    """All audio sent, in `audio_format`."""
    told: Counter[str] = field(default_factory=Counter[str])
    """How often each reply but audio was sent, by the name of its class, such as ``"FinalizeAnswered"``."""
    complaints: list[str] = field(default_factory=list)
    """The client's violations of the protocol."""
    pongs: int = 0
    """Pings answered."""

    @property
    def endpoint(self) -> str:
        """The end of the path: ``"stt"``, ``"tts"`` or ``"listen"``."""
        return self.resource.partition("?")[0].rpartition("/")[2]

    @property
    def sample_rate(self) -> int:
        """Samples a second of the session's audio; 0 before a session is created."""
        return self.audio_format.sample_rate if self.audio_format else 0

    def samples(self, audio: bytes) -> int:
        """How many samples `audio` holds, in the session's format; 0 before a session is created."""
        return len(audio) // self.audio_format.frame_size if self.audio_format else 0

    @property
    def session_id(self) -> str:
        """The identifier of the session that the client is given."""
        return f"{self.endpoint}_{self.number:04d}"

    @property
    def open(self) -> bool:
        """Whether the websocket is open now."""
        return self.opened is not None and self.ended is None

    @property
    def heard(self) -> float:
        """Seconds of audio received."""
        return self.audio_format.seconds(len(self.audio) // self.audio_format.frame_size) if self.audio_format else 0.0

    @property
    def words(self) -> list[AudibleWord]:
        """The words in the audio received, with their samples counted from the first one of this connection."""
        return hear(self.audio, 0, self.audio_format) if self.audio_format else []

    @property
    def texts(self) -> list[str]:
        """The texts that were received to be spoken."""
        return [message.text for message in self.passed if message.sender == "client" and message.text]

    def kinds(self, sender: Literal["client", "gateway"]) -> list[str]:
        """The types of all messages of one side, in order."""
        return [message.kind for message in self.passed if message.sender == sender]

    def base(self, speech: LabeledSpeech) -> int | None:
        """The sample of `speech` that was received first here; ``None`` if no whole word of it was received.

        It is found by the first whole word. Of a word that `speech` holds more than once, the first one counts.
        """
        starts: dict[str, int] = {}
        for word in speech.words:
            starts.setdefault(word.text, word.start)
        for word in self.words:
            if word.whole and word.text in starts:
                return starts[word.text] - word.start
        return None

    def ponged(self) -> None:
        """Call when a ping of the client has been answered."""
        self.pongs += 1

    def end(self, at: float, outcome: str | Cause) -> None:
        """Call when the dial or the connection has ended; `outcome`: how. Only the first call counts."""
        if self.ended is None:
            self.ended, self.outcome = at, str(outcome)
