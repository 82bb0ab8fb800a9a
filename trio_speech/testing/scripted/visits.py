"""What the gateway saw and did, for tests to look at. All times are trio's, in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..._core.provider.messages import RecognitionResult
from ..._core.retry.causes import Cause
from ..speech import LabeledSpeech
from ..word_signal import AudibleWord, hear
from .faults import Act


@dataclass(frozen=True)
class Passed:
    """A message that passed: `kind` is its type on the wire."""

    at: float
    sender: Literal["client", "gateway"]
    kind: str
    samples: int = 0
    """How much audio it carried."""
    text: str = ""
    """The transcript or the text that it carried."""


@dataclass
class Visit:
    """One dial, and the connection that came of it."""

    number: int
    dialed: float
    act: Act = ()
    """What the plan had for it."""
    resource: str = ""
    """Path and query of the handshake."""
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    opened: float | None = None
    """When the handshake was accepted."""
    ended: float | None = None
    outcome: str = ""
    """How it ended, in a few words."""
    struck: list[tuple[float, object]] = field(default_factory=list)
    """The faults that struck, and when."""
    model: str | None = None
    language: str | None = None
    options: dict[str, object] = field(default_factory=dict)
    sample_rate: int = 0
    passed: list[Passed] = field(default_factory=list)
    """All messages, in order."""
    audio: bytearray = field(default_factory=bytearray, repr=False)
    """What was heard, to the sample."""
    keyterms: tuple[str, ...] = ()
    """Those in force, where the wire has a place of its own for them."""
    finals: list[RecognitionResult] = field(default_factory=list)
    """The finals that were sent, on this connection's own clock."""
    spoken: bytearray = field(default_factory=bytearray, repr=False)
    """What was said, to the sample."""
    complaints: list[str] = field(default_factory=list)
    """What the client did against the protocol."""
    pongs: int = 0
    """Pings answered."""

    @property
    def endpoint(self) -> str:
        """The end of the path: ``"stt"``, ``"tts"`` or ``"listen"``."""
        return self.resource.partition("?")[0].rpartition("/")[2]

    @property
    def session_id(self) -> str:
        """What the client is told that this session is called."""
        return f"{self.endpoint}_{self.number:04d}"

    @property
    def open(self) -> bool:
        """It is a websocket now."""
        return self.opened is not None and self.ended is None

    @property
    def heard(self) -> float:
        """Seconds of audio heard."""
        return len(self.audio) / 2 / self.sample_rate if self.sample_rate else 0.0

    @property
    def words(self) -> list[AudibleWord]:
        """The words heard, with the samples of this connection at which they were."""
        return hear(self.audio)

    @property
    def texts(self) -> list[str]:
        """The texts that came to be spoken."""
        return [message.text for message in self.passed if message.sender == "client" and message.text]

    def kinds(self, sender: Literal["client", "gateway"]) -> list[str]:
        """The types of all messages of one side, in order."""
        return [message.kind for message in self.passed if message.sender == sender]

    def base(self, speech: LabeledSpeech) -> int | None:
        """The sample of `speech` that was the first one heard here, by the first word heard whole; ``None``: by none.

        Where a word comes more than once in `speech`, its first place is taken.
        """
        starts: dict[str, int] = {}
        for word in speech.words:
            starts.setdefault(word.text, word.start)
        for word in self.words:
            if word.whole and word.text in starts:
                return starts[word.text] - word.start
        return None

    def ponged(self) -> None:
        """A ping has been answered."""
        self.pongs += 1

    def end(self, at: float, outcome: str | Cause) -> None:
        """The first end counts."""
        if self.ended is None:
            self.ended, self.outcome = at, str(outcome)
