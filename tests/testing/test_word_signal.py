"""Audio that carries its words: what was encoded comes back, from whatever slice and in whatever pieces."""

from __future__ import annotations

import string
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech import AudioFormat
from trio_speech.audio import alaw_to_pcm16, mulaw_to_pcm16, pcm16_to_alaw, pcm16_to_mulaw
from trio_speech.testing.word_signal import PCM16, AudibleWord, WordDecoder, hear, silence, word_audio

WORDS = st.text(st.sampled_from(string.ascii_letters + "ßéñ日.,'"), min_size=1, max_size=9)


@st.composite
def recordings(draw: st.DrawFn) -> tuple[bytes, list[AudibleWord]]:
    audio, words = b"", []
    for text in draw(st.lists(WORDS, max_size=6)):
        audio += silence(draw(st.integers(0, 40)))
        length = draw(st.integers(2 * len(text.encode()), 300))
        words.append(AudibleWord(text, len(audio) // 2, len(audio) // 2 + length))
        audio += word_audio(text, length)
    return audio + silence(draw(st.integers(0, 40))), words


MULAW, ALAW = AudioFormat.mulaw(), AudioFormat.alaw()
LAWS = st.sampled_from([MULAW, ALAW])


@st.composite
def calls(draw: st.DrawFn, audio_format: AudioFormat) -> tuple[bytes, list[AudibleWord]]:
    """Words as they are on a telephone line."""
    audio, words = b"", []
    for text in draw(st.lists(WORDS, min_size=1, max_size=4)):
        audio += silence(draw(st.integers(0, 40)), audio_format)
        length = draw(st.integers(6 * len(text.encode()), 300))
        words.append(AudibleWord(text, len(audio), len(audio) + length))
        audio += word_audio(text, length, audio_format)
    return audio + silence(draw(st.integers(0, 40)), audio_format), words


def converted(audio: bytes, audio_format: AudioFormat, way: str) -> bytes:
    """`audio` after conversions: ``"p"`` to PCM, ``"m"`` to μ-law and back, ``"a"`` to A-law and back."""
    pcm = mulaw_to_pcm16(audio) if audio_format is MULAW else alaw_to_pcm16(audio)
    for law in way:
        if law == "m":
            pcm = mulaw_to_pcm16(pcm16_to_mulaw(pcm))
        elif law == "a":
            pcm = alaw_to_pcm16(pcm16_to_alaw(pcm))
    return pcm


@given(st.data(), LAWS, st.text("pma", max_size=4))
def test_words_survive_g711_and_conversions_in_any_order(data: st.DataObject, law: AudioFormat, way: str) -> None:
    audio, words = data.draw(calls(law))
    assert hear(audio, 0, law) == words
    pcm = converted(audio, law, way)
    assert hear(pcm) == words
    assert hear(pcm16_to_mulaw(pcm), 0, MULAW) == words
    assert hear(pcm16_to_alaw(pcm), 0, ALAW) == words


@given(st.data(), LAWS, st.lists(st.integers(0, 1_200), max_size=12), st.booleans())
def test_decoding_a_telephone_does_not_depend_on_the_pieces(
    data: st.DataObject, law: AudioFormat, cuts: list[int], as_pcm: bool
) -> None:
    audio, words = data.draw(calls(law))
    audio_format, size = (PCM16, 2) if as_pcm else (law, 1)
    audio = converted(audio, law, "p") if as_pcm else audio
    decoder, heard = WordDecoder(0, audio_format), []
    places = [0, *sorted(min(size * cut, len(audio)) for cut in cuts), len(audio)]
    for start, end in pairwise(places):
        heard += decoder.hear(audio[start:end])
    assert heard == words
    assert decoder.pending is None


@given(st.data(), LAWS, st.integers(3, 1_200))
def test_two_halves_of_a_telephone_word_have_each_letter_once(data: st.DataObject, law: AudioFormat, cut: int) -> None:
    audio, words = data.draw(calls(law))
    halves = hear(audio[:cut], 0, law), hear(audio[cut:], cut, law)
    astride = [word for word in words if word.start < cut < word.end]
    # A piece of one or two samples is too short to tell a letter.
    if all(cut - word.start > 2 and word.end - cut > 2 for word in astride):
        ends = [word for half in halves for word in half if not word.whole]
        joined = "".join(word.text for word in ends)
        assert joined == "".join(word.text for word in astride) or not joined.isascii()
        assert [(word.start, word.end) for word in ends] == [
            span for word in astride for span in ((word.start, cut), (cut, word.end))
        ]
        assert [word for half in halves for word in half if word.whole] == [w for w in words if w not in astride]


@given(st.integers(60, 400), st.integers(1, 400), st.integers(1, 30).filter(lambda length: length % 7))
def test_missing_or_repeated_telephone_samples_break_a_word(samples: int, place: int, length: int) -> None:
    word, at = word_audio("hello", samples, MULAW), min(place, samples - 1)
    twice = hear(word[:at] + word[max(0, at - length) :], 0, MULAW)
    missing = hear(word[:at] + word[at + length :], 0, MULAW)
    assert not [spoken for spoken in (*twice, *missing) if spoken.whole and spoken.end - spoken.start != samples]
    assert [spoken.token for spoken in missing] != ["hello"]


@given(recordings())
def test_words_are_decoded_to_the_sample(recording: tuple[bytes, list[AudibleWord]]) -> None:
    audio, words = recording
    assert hear(audio) == words


@given(recordings(), st.lists(st.integers(0, 2_000), max_size=12))
def test_decoding_does_not_depend_on_the_pieces(recording: tuple[bytes, list[AudibleWord]], cuts: list[int]) -> None:
    audio, words = recording
    decoder, heard = WordDecoder(), []
    places = [0, *sorted(min(2 * cut, len(audio)) for cut in cuts), len(audio)]
    for start, end in pairwise(places):
        heard += decoder.hear(memoryview(audio)[start:end])
        assert decoder.position == end // 2
    assert heard == words
    assert decoder.pending is None


@given(recordings(), st.integers(0, 2_000))
def test_two_halves_of_a_word_have_each_letter_once(recording: tuple[bytes, list[AudibleWord]], cut: int) -> None:
    audio, words = recording
    cut = min(2 * cut, len(audio))
    first, second = hear(audio[:cut]), hear(audio[cut:], start=cut // 2)
    if first and second and not first[-1].offset:
        assert not second[0].onset
        assert first[-1].token.endswith("-")
        assert second[0].token.startswith("-")
        assert first[-1].end == second[0].start == cut // 2
        halves = first.pop(), second.pop(0)
        joined = halves[0].text + halves[1].text
        whole = next(word for word in words if word.start == halves[0].start)
        assert joined == whole.text or not whole.text.isascii()
        assert halves[1].end == whole.end
        words = [word for word in words if word is not whole]
    assert first + second == words


@given(recordings(), st.integers(0, 1_900), st.integers(1, 400))
def test_any_slice_tells_which_words_are_whole(
    recording: tuple[bytes, list[AudibleWord]], start: int, length: int
) -> None:
    audio, words = recording
    heard = hear(audio[2 * start : 2 * (start + length)], start=start)
    end = min(start + length, len(audio) // 2)
    assert [word for word in heard if word.whole] == [w for w in words if start <= w.start and w.end <= end]
    partly = [w for w in words if w.start < end and w.end > start and not (start <= w.start and w.end <= end)]
    assert [(max(w.start, start), min(w.end, end)) for w in partly] == [(w.start, w.end) for w in heard if not w.whole]


@given(
    word=st.integers(60, 400).map(lambda samples: word_audio("hello", samples)),
    place=st.integers(1, 400),
    length=st.integers(1, 30),
)
def test_samples_that_are_missing_or_come_twice_break_a_word(word: bytes, place: int, length: int) -> None:
    at = 2 * min(place, len(word) // 2 - 1)
    twice = hear(word[:at] + word[max(0, at - 2 * length) :])
    missing = hear(word[:at] + word[at + 2 * length :])
    assert not [spoken for spoken in (*twice, *missing) if spoken.whole and spoken.end - spoken.start != len(word) // 2]
    assert len(twice) == 2
    assert [spoken.token for spoken in missing] != ["hello"]


def test_a_word_in_progress_is_pending_and_can_be_cut() -> None:
    decoder, audio = WordDecoder(100), silence(10) + word_audio("ab", 40)
    assert decoder.hear(audio[:60]) == []
    assert decoder.pending == AudibleWord("a", 110, 130, offset=False)
    assert decoder.cut() == AudibleWord("a", 110, 130, offset=False)
    assert decoder.cut() is None
    assert decoder.hear(audio[60:]) == [AudibleWord("b", 130, 150, onset=False)]


def test_silence_ends_a_word_cut_short() -> None:
    assert hear(word_audio("ab", 40)[:30] + silence(5)) == [AudibleWord("a", 0, 15, offset=False)]


def test_other_audio_decodes_to_no_words() -> None:
    assert hear(b"\x10\x80\x00\xff" * 50) == []


@pytest.mark.parametrize("text", ["", "two words", " lead", "nul\0"])
def test_a_text_that_is_not_one_word_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be one word"):
        word_audio(text, 1_000)


def test_a_word_needs_two_samples_a_letter() -> None:
    assert hear(word_audio("abc", 6)) == [AudibleWord("abc", 0, 6)]
    with pytest.raises(ValueError, match="needs 6 samples"):
        word_audio("abc", 5)


@pytest.mark.parametrize("law", [MULAW, ALAW])
def test_a_telephone_word_needs_six_samples_a_letter(law: AudioFormat) -> None:
    assert hear(word_audio("abc", 18, law), 0, law) == [AudibleWord("abc", 0, 18)]
    with pytest.raises(ValueError, match="needs 18 samples"):
        word_audio("abc", 17, law)


def test_a_piece_of_a_telephone_word_too_short_for_its_letter_says_so() -> None:
    word = word_audio("ab", 40, MULAW)
    assert hear(word[22:23], 0, MULAW) == [AudibleWord("\ufffd", 0, 1, onset=False, offset=False)]


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="whole samples of pcm_s16le"):
        WordDecoder().hear(b"123")
