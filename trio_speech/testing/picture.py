"""Draws a session over the stream's time, for the message of a failed assertion.

seconds  0         5         10
spoken   |-== == ==---=== ==-|
visit 1  |-== == =x                Drop() at 3.00
finals   | [=====]
gaps     |          !!!!
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..events import FinalTranscript, Gap, LinkLost, Resumed, TranscriptEvent
from .scripted.visits import Visit
from .speech import LabeledSpeech
from .word_signal import AudibleWord

_COLUMNS = 100
_LABEL = 10
_TICKS = 10
_LISTED = 60


def picture(speech: LabeledSpeech, events: Iterable[TranscriptEvent] = (), visits: Iterable[Visit] = ()) -> str:
    """Draws the words of `speech`, what each connection received of them, the finals and the gaps, as lines of text.

    Below it are the finals, gaps and reconnects in the order in which they were delivered. A connection is placed by
    the first word that it received whole.
    """
    events, visits = list(events), [visit for visit in visits if visit.audio]
    ends = [event.end for event in events if isinstance(event, FinalTranscript | Gap)]
    scale = _Scale(max(speech.seconds, *ends, 1e-9))
    rate = speech.audio_format.sample_rate
    return "\n".join(
        [
            _label("seconds") + scale.axis(),
            _label("spoken") + scale.row(_marks(speech.words, rate, "=")),
            *(_visit(visit, speech, scale) for visit in visits),
            _label("finals") + scale.row((e.start, e.end, "f") for e in events if isinstance(e, FinalTranscript)),
            _label("gaps") + scale.row((e.start, e.end, "!") for e in events if isinstance(e, Gap)),
            *_told(events),
        ]
    )


class _Scale:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def column(self, at: float) -> int:
        return max(0, min(_COLUMNS - 1, int(at / self._seconds * _COLUMNS)))

    def row(self, spans: Iterable[tuple[float, float, str]]) -> str:
        cells = [" "] * _COLUMNS
        for start, end, mark in spans:
            first, last = self.column(start), self.column(end)
            cells[first : max(first, last - 1) + 1] = mark * (max(first, last - 1) + 1 - first)
        return "|" + "".join(cells).rstrip()

    def axis(self) -> str:
        step = self._seconds / _TICKS
        ticks = (f"{index * step:.1f}".ljust(_COLUMNS // _TICKS) for index in range(_TICKS + 1))
        return " " + "".join(ticks).rstrip()


def _label(name: str) -> str:
    return name.ljust(_LABEL)


def _marks(words: Sequence[AudibleWord], rate: int, mark: str) -> Iterator[tuple[float, float, str]]:
    return ((word.start / rate, word.end / rate, mark if word.whole else "~") for word in words)


def _visit(visit: Visit, speech: LabeledSpeech, scale: _Scale) -> str:
    first = visit.base(speech)
    faults = ", ".join(f"{fault} at {at:.3f}" for at, fault in visit.struck)
    ended = f"; {visit.outcome}" if visit.ended is not None else ""
    note = f"   <- {visit.heard:.3f} s heard{'; ' if faults else ''}{faults}{ended}"
    label = _label(f"visit {visit.number}")
    if first is None:
        return f"{label}| not placed: it received no whole word{note}"
    rate = visit.sample_rate
    base = first / rate
    heard = [(base, base + visit.heard, "-")]
    words = ((base + start, base + end, mark) for start, end, mark in _marks(visit.words, rate, "="))
    return label + scale.row([*heard, *words]) + note


def _told(events: Sequence[TranscriptEvent]) -> Iterator[str]:
    told = [event for event in events if isinstance(event, FinalTranscript | Gap | LinkLost | Resumed)]
    for event in told[:_LISTED]:
        match event:
            case FinalTranscript(text=text, start=start, end=end, seam=seam):
                yield f"  {start:9.3f} to {end:9.3f}  final {text!r}{' (seam)' if seam else ''}"
            case Gap(start=start, end=end, reason=reason):
                yield f"  {start:9.3f} to {end:9.3f}  gap: {reason}"
            case LinkLost() | Resumed():
                yield f"  {event}"
    if len(told) > _LISTED:
        yield f"  … and {len(told) - _LISTED} more"
