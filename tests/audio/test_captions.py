"""The caption formats, against their specifications and the laws at the top of the module."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech import FinalTranscript, Word
from trio_speech.audio import captions

HELLO = FinalTranscript(
    text="Hello, world.", start=0.2, end=1.5, words=(Word("hello", 0.5, 0.9), Word("world", 0.9, 1.25)), id="1"
)
LATER = FinalTranscript(text="A < B & C > D", start=3661.0005, end=3662.5, id="2")
BOTH = (HELLO, LATER)


def test_text_gives_each_final_a_line() -> None:
    assert captions.text(BOTH) == "Hello, world.\nA < B & C > D\n"


def test_subrip_is_numbered_with_commas() -> None:
    assert captions.srt(BOTH) == (
        "1\n00:00:00,500 --> 00:00:01,250\nHello, world.\n\n2\n01:01:01,000 --> 01:01:02,500\nA < B & C > D\n"
    )


def test_webvtt_has_its_header_and_escapes() -> None:
    assert captions.vtt(BOTH) == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:01.250\nHello, world.\n\n"
        "01:01:01.000 --> 01:01:02.500\nA &lt; B &amp; C &gt; D\n"
    )


@pytest.mark.parametrize(("name", "empty"), [("text", ""), ("srt", ""), ("vtt", "WEBVTT\n")])
def test_no_finals_give_an_empty_file(name: str, empty: str) -> None:
    silent = FinalTranscript(text=" ", start=0, end=1)
    assert getattr(captions, name)(()) == empty
    if name != "text":
        assert getattr(captions, name)((silent,)) == empty


def test_a_final_without_word_times_is_one_cue_however_long() -> None:
    long = FinalTranscript(text="word " * 60, start=0, end=60)
    assert [cue.text for cue in captions.cues([long])] == [("word " * 60).strip()]


def test_a_cue_of_no_length_lasts_a_millisecond() -> None:
    instant = FinalTranscript(text="now", start=1, end=1)
    assert "00:00:01.000 --> 00:00:01.001" in captions.vtt((instant,))


@st.composite
def finals(draw: st.DrawFn) -> FinalTranscript:
    texts = draw(st.lists(st.from_regex(r"[a-zé'<&-]{1,50}", fullmatch=True), min_size=1, max_size=30))
    start, words = draw(st.floats(1, 1e5)), []
    for text in texts:
        end = start + draw(st.floats(0, 9))
        words.append(Word(text, start, end))
        start = end + draw(st.floats(0, 3))
    return FinalTranscript(text=" ".join(texts), start=words[0].start - 1, end=words[-1].end + 1, words=tuple(words))


@given(finals())
def test_every_word_is_in_exactly_one_cue_that_fits(final: FinalTranscript) -> None:
    found = list(captions.cues([final]))
    assert " ".join(cue.text for cue in found).split() == [word.text for word in final.words]
    assert (found[0].start, found[-1].end) == (final.words[0].start, final.words[-1].end)
    for cue in found:
        one_word = len(cue.text.split()) == 1
        assert one_word or cue.end - cue.start <= captions.MAX_SECONDS
        lines = captions.srt((FinalTranscript(text=cue.text, start=0, end=1),)).split("\n")[2:-1]
        assert one_word or (len(lines) <= captions.MAX_LINES and all(len(line.split()) > 0 for line in lines))
        assert all(len(line) <= captions.LINE_CHARACTERS or " " not in line for line in lines)


@given(st.lists(finals(), max_size=3))
def test_webvtt_reads_back(some: list[FinalTranscript]) -> None:
    header, *blocks = captions.vtt(some).split("\n\n")
    assert header.strip() == "WEBVTT"
    for block in blocks:
        times, *lines = block.strip().split("\n")
        assert re.fullmatch(r"\d{2,}:[0-5]\d:[0-5]\d\.\d{3} --> \d{2,}:[0-5]\d:[0-5]\d\.\d{3}", times)
        assert times.split(" --> ")[0] < times.split(" --> ")[1] or len(times) > len("00:00:00.000 --> 00:00:00.000")
        assert lines
        assert not any("<" in line or "-->" in line for line in lines)


def test_captions_are_written_as_finals_come() -> None:
    for whole, captions_format in (
        (captions.text, captions.PlainText()),
        (captions.srt, captions.SubRip()),
        (captions.vtt, captions.WebVtt()),
    ):
        pieces = [captions_format.begin(), *map(captions_format.add, BOTH)]
        assert "".join(pieces) == whole(BOTH)


def test_webvtt_with_word_times_marks_each_word_after_the_first() -> None:
    webvtt = captions.WebVttWords()
    assert webvtt.add(HELLO) == "\n00:00:00.500 --> 00:00:01.250\nhello <00:00:00.900>world\n"
    assert webvtt.add(LATER).endswith("A &lt; B &amp; C &gt; D\n")


def spoken(text: str, *words: str) -> FinalTranscript:
    timed = tuple(Word(word, float(at), at + 1.0) for at, word in enumerate(words))
    return FinalTranscript(text=text, start=0, end=float(len(words)), words=timed)


def test_a_long_final_is_cut_out_of_its_own_text() -> None:
    english = "One, two; three. Four - five! Six: seven (eight) nine?"
    assert [
        cue.text for cue in captions.cues([spoken(english, *["One", "two", "three", "Four", "five", "Six", "seven"])])
    ] == [english]
    german = spoken(
        "Eins, zwei; drei. Vier - fünf! Sechs: sieben (acht) neun?",
        *["Eins", "zwei", "drei", "Vier", "fünf", "Sechs", "sieben", "acht", "neun"],
    )
    assert [cue.text for cue in captions.cues([german])] == [
        "Eins, zwei; drei. Vier - fünf! Sechs: sieben",
        "(acht) neun?",
    ]


def test_scripts_without_blanks_stay_without_them() -> None:
    words = ["今日", "は", "とても", "いい", "天気", "です", "ね", "散歩", "に", "行き", "ましょう"]
    found = [cue.text for cue in captions.cues([spoken("".join(words) + "。", *words)])]
    assert "".join(found) == "".join(words) + "。"
    assert len(found) == 2
    lines = captions.srt([spoken("字" * 60, "字" * 60)]).split("\n")[2:-1]
    assert lines == ["字" * 42, "字" * 18]


def test_words_that_are_not_in_the_text_are_joined_with_blanks() -> None:
    final = spoken("12 €", *(f"word{number}" for number in range(10)))
    assert " ".join(cue.text for cue in captions.cues([final])).split() == [f"word{number}" for number in range(10)]
