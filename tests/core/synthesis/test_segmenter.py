from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.synthesis.segmenter import Segmenter, is_markup, speakable
from trio_speech._core.synthesis.sentences import sentence_splitter

STORY = (
    "Dr. Smith paid $3.50 at 5 p.m. for it. Was it worth it? Yes! J. R. Jones (his aide) agreed... "
    "They left the U.S. in May.\n\nThe end"
)

WORDS = """Dr. Smith 5 p.m. then Then it works. Really? Yes! "Hi." (so. U.S. 3.5 ... — 🙂 J. R. Node.JS 1. - e.g.
    你好。 世界！ 再见 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx e\u0301. \ud800"""

words = st.sampled_from(WORDS.split())
texts = st.lists(st.tuples(words, st.sampled_from([" ", " ", " ", "\n", "\n\n", "  ", "", "\u00a0"])), max_size=25).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)


def segments_of(pieces: list[str], **options: int) -> list[str]:
    segmenter = Segmenter(**options)  # type: ignore[arg-type]
    segments = [segment for piece in pieces[:-1] for segment in segmenter.push(piece)]
    return segments + segmenter.flush(*pieces[-1:])


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text.encode(errors="replace").decode())


def cut_at(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted({cut % (len(text) + 1) for cut in cuts}), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


def test_a_title_is_no_end_even_when_it_comes_in_pieces() -> None:
    assert segments_of(["D", "r.", " Smi", "th went. He", " slept."]) == ["Dr. Smith went. ", "He slept."]


def test_sentences_of_a_story() -> None:
    assert segments_of([STORY]) == [
        "Dr. Smith paid $3.50 at 5 p.m. for it. ",
        "Was it worth it? ",
        "Yes! ",
        "J. R. Jones (his aide) agreed... ",
        "They left the U.S. in May.\n\n",
        "The end",
    ]


def test_a_sentence_comes_as_soon_as_the_next_word_is_whole() -> None:
    segmenter = Segmenter()
    assert segmenter.push("It works. Real") == []
    assert segmenter.push("ly") == []
    assert segmenter.push(" ") == ["It works. "]
    assert segmenter.pending == "Really "


@pytest.mark.parametrize(("pause", "kept"), [("", ""), (" ", " "), ("\n", "\n")])
def test_flush_closes_the_segment_whatever_it_is(pause: str, kept: str) -> None:
    segmenter = Segmenter()
    assert segmenter.push("Say it, Dr." + pause) == []
    assert segmenter.flush() == ["Say it, Dr." + kept]
    assert segmenter.flush() == []


def test_flush_takes_the_last_word_as_whole() -> None:
    segmenter = Segmenter()
    assert segmenter.push("Go. On") == []
    assert segmenter.flush() == ["Go. ", "On"]


def test_what_no_message_can_hold_is_a_question_mark() -> None:
    assert segments_of(["so\ud83d", " far. \udc00Go on\ud83d"]) == ["so? ", "far. ", "?Go on?"]


def test_clear_drops_what_is_pending() -> None:
    segmenter = Segmenter()
    segmenter.push("Never mind")
    segmenter.clear()
    assert segmenter.pending == ""
    assert segmenter.push("Go. On") == []
    assert segmenter.push(" we") == ["Go. "]


def test_scripts_without_spaces_need_one_more_character() -> None:
    segmenter = Segmenter(language="zh-CN")
    assert segmenter.push("你好。") == []
    assert segmenter.push("世") == ["你好。"]
    assert segmenter.push("界！再") == ["世界！"]
    assert segmenter.push("见OK。世") == ["再见OK。"]


def test_a_mark_alone_joins_the_sentence_beside_it() -> None:
    assert segments_of(["Sure. 🙂 Here we are. Good"]) == ["Sure. ", "🙂 Here we are. ", "Good"]
    assert segments_of(["Sure. 🙂"]) == ["Sure. 🙂"]
    assert segments_of(["... Hm. Well now"]) == ["... Hm. ", "Well now"]


def test_no_cut_inside_a_word() -> None:
    assert segments_of(["Use Node.JS or Deno.Land for it"]) == ["Use Node.JS or Deno.Land for it"]


@pytest.mark.parametrize("language", ["de", "de-AT", "de_AT", "DE-at", "de-Latn-AT"])
def test_the_primary_language_decides(language: str) -> None:
    assert list(sentence_splitter(language)("Am 3. Mai kam er. Ende gut")) == ["Am 3. Mai kam er. ", "Ende gut"]


def test_a_segmenter_speaks_its_language() -> None:
    pushed = {language: Segmenter(language=language).push("Am 3. Mai kam er. Ende gut") for language in ("de", None)}
    assert pushed == {"de": ["Am 3. Mai kam er. "], None: ["Am 3. ", "Mai kam er. "]}


def test_where_a_language_has_no_rules_those_of_english_do() -> None:
    assert list(sentence_splitter("no-such-language")("A dog. A cat.")) == ["A dog. ", "A cat."]
    assert list(sentence_splitter(None)("A dog. A cat.")) == ["A dog. ", "A cat."]


@pytest.mark.parametrize("space", ["\u00a0", "\u2009", "\u3000"])
def test_a_wide_space_after_a_capital(space: str) -> None:
    assert segments_of([f"Plan B{space}. Go{space}on. Now"]) == [f"Plan B{space}. ", f"Go{space}on. ", "Now"]


@given(
    st.sampled_from([None, "de", "el", "hy", "ja", "my", "ru", "zh"]),
    st.text(st.sampled_from("aZé世5_ ,'\"-"), max_size=40),
)
def test_without_anything_like_an_end_there_is_none(language: str | None, text: str) -> None:
    assert list(sentence_splitter(language)(text)) == ([text] if text else [])


def test_who_knows_ends_is_asked_for_words_after_something_like_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def split(language: str, text: str) -> list[str]:
        asked.append(text)
        return [text]

    monkeypatch.setattr("trio_speech._core.synthesis.sentences._library", lambda: split)
    segmenter = Segmenter()
    segmenter.push('Never, ever - he\'s "said" so. Then')
    assert asked == []
    assert segmenter.push(" he ") == []
    assert asked == ['Never, ever - he\'s "said" so. Then', 'Never, ever - he\'s "said" so. Then he']
    segmenter.clear()
    assert segmenter.push("1) He\n") == []
    assert asked[2:] == ["1)", "1) He"]
    assert segmenter.flush() == ["1) He\n"]


@pytest.mark.parametrize(
    ("text", "cap", "expected"),
    [
        ("one two three four", 9, ["one two", " three", " four"]),
        ("one two three four", 7, ["one two", " three", " four"]),
        ("one,two;three", 6, ["one,", "two;", "three"]),
        ("on,two;three", 6, ["on,", "two;", "three"]),
        ("a bcdefg", 4, ["a", " bcd", "efg"]),
        ("Go. On we", 6, ["Go. ", "On we"]),
        ("Go. One we", 6, ["Go.", " One", " we"]),  # its next word ends too late to tell
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("abce\u0301fg", 4, ["abc", "e\u0301fg"]),
        ("abe\u0301f", 3, ["ab", "e\u0301f"]),
        ("e\u0301\u0301\u0301\u0301", 2, ["e\u0301", "\u0301\u0301", "\u0301"]),
        (". . . . . .", 4, [". . ", ". . ", ". ."]),
    ],
)
def test_what_is_too_long_is_cut(text: str, cap: int, expected: list[str]) -> None:
    assert segments_of([text], max_characters=cap) == expected


def test_text_without_any_end_is_cut_at_the_default_cap() -> None:
    segments = segments_of(["word " * 1_000])
    assert [len(segment) for segment in segments] == [999, 1_000, 1_000, 1_000, 1_000]


def test_what_can_be_spoken() -> None:
    assert speakable("a")
    assert speakable("… 5")
    assert not speakable(" …—🙂\n")


@given(texts, st.integers(3, 60))
def test_nothing_is_lost_or_reordered(text: str, cap: int) -> None:
    segments = segments_of([text], max_characters=cap)
    assert squeezed("".join(segments)) == squeezed(text)
    assert all(0 < len(segment) <= cap for segment in segments)
    assert all(segment.strip() for segment in segments)


@given(texts, st.lists(st.integers(0, 400), max_size=12), st.integers(3, 60))
def test_the_cuts_do_not_depend_on_the_pieces(text: str, cuts: list[int], cap: int) -> None:
    whole = segments_of([text], max_characters=cap)
    assert segments_of(cut_at(text, cuts), max_characters=cap) == whole
    assert segments_of(list(text), max_characters=cap) == whole


@given(texts)
def test_uncapped_segments_have_something_to_say(text: str) -> None:
    segments = segments_of([text])
    assert all(speakable(segment) for segment in segments[:-1])


# ---------------------------------------------------------------- markup, numbers, pauses

MARKUP = """Hello there. <break|time="1.5s"/> <emotion|value="sad"/> I'm sorry. <prosody|rate="slow"> Wait. </prosody>
    [laughs] a < b <unfinished 3.14 ３．１４ 1. 2) Then <br> </p>"""
pieces = st.sampled_from([word.replace("|", " ") for word in MARKUP.split()])
marked = st.lists(st.tuples(pieces, st.sampled_from([" ", " ", "\n", "\n\n", ""])), max_size=25).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)


@given(marked, st.lists(st.integers(0, 400), max_size=12), st.integers(12, 60), st.booleans())
def test_the_cuts_of_markup_do_not_depend_on_the_pieces(text: str, cuts: list[int], cap: int, clause: bool) -> None:
    options = {"max_characters": cap, "clause_first": clause}
    whole = segments_of([text], **options)
    assert segments_of(cut_at(text, cuts), **options) == whole
    assert segments_of(list(text), **options) == whole
    assert all(len(segment) <= cap for segment in whole)


@pytest.mark.parametrize("cap", [40, 1_000])
@given(marked)
def test_no_tag_is_cut_and_only_whole_markup_is_dropped(cap: int, text: str) -> None:
    segmenter = Segmenter(max_characters=cap)
    segments = [*segmenter.push(text), *segmenter.flush()]
    assert squeezed("".join((*segments, segmenter.pending))) == squeezed(text)
    assert not segmenter.pending.strip() or is_markup(segmenter.pending)
    for tag in re.findall(r"<[a-z]+ \w+=\S+?/?>|</?[a-z]+>", text):
        assert sum(piece.count(tag) for piece in (*segments, segmenter.pending)) == text.count(tag)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'One moment please! <break time="1.0s"/> <break time="1.0s"/> Thanks. <emotion value="sad"/>',
            ["One moment please! ", '<break time="1.0s"/> <break time="1.0s"/> Thanks. <emotion value="sad"/>'],
        ),
        (
            '<prosody rate="slow">Take care. Really.</prosody> Now go. On',
            ['<prosody rate="slow">Take care. Really.</prosody> ', "Now go. ", "On"],
        ),
        ("He laughed [laughs. hard] a lot. Then he", ["He laughed [laughs. hard] a lot. ", "Then he"]),
        ("If a <b then. It is so", ["If a <b then. ", "It is so"]),
        ("円周率は３．１４です。次の文。終わり", ["円周率は３．１４です。", "次の文。", "終わり"]),
        (
            "A list:\n1. Apples are red.\n2. Pears are green. Done",
            ["A list:\n1. Apples are red.\n", "2. Pears are green. ", "Done"],
        ),
        ("Please confirm: 1. Your name. And", ["Please confirm: 1. Your name. ", "And"]),
        ("A title\n\nThe text", ["A title\n\n", "The text"]),
    ],
)
def test_what_belongs_together_stays_together(text: str, expected: list[str]) -> None:
    assert segments_of([text]) == segments_of(list(text)) == expected


@pytest.mark.parametrize(
    ("text", "cap", "expected"),
    [
        ("abcdefgh <br/> ij", 12, ["abcdefgh", " <br/> ij"]),
        ("ab <i>cd ef</i> gh", 14, ["ab ", "<i>cd ef</i> ", "gh"]),
        ("<i>ab cd ef gh</i>", 10, ["<i>ab cd", "ef gh</i>"]),
    ],
)
def test_a_cap_cuts_no_tag_and_no_pair_that_fits(text: str, cap: int, expected: list[str]) -> None:
    segments = segments_of([text], max_characters=cap)
    assert [segment.strip() for segment in segments] == [segment.strip() for segment in expected]


def test_a_blank_line_ends_a_sentence_at_once() -> None:
    segmenter = Segmenter()
    assert segmenter.push("Let me see.\n") == []
    assert segmenter.push("\n") == ["Let me see.\n\n"]


def test_markup_alone_waits_for_its_text() -> None:
    segmenter = Segmenter()
    assert segmenter.push('<emotion value="sad"/> ') == []
    assert segmenter.flush() == []
    assert segmenter.flush("Oh.") == ['<emotion value="sad"/> Oh.']
    assert segmenter.push("<br/>") == []
    assert segmenter.finish() == []
    assert segmenter.pending == ""


@pytest.mark.parametrize(
    "text", ["It works.", "Really? ", "She said “go.”", "很好。", "Well...", "Hold on. <break/>", "It is **so**."]
)
def test_a_sentence_that_is_complete_needs_no_next_word(text: str) -> None:
    segmenter = Segmenter()
    assert segmenter.push(text) == []
    assert segmenter.may_be_complete
    assert segmenter.complete() == [text.removesuffix("<break/>")]
    assert segmenter.complete() == []


@pytest.mark.parametrize(
    "text", ["", "It", "Dr.", "at 5 p.m.", "Am 3.", "J.", "1.", "...", "<i>So.", "So. <br", "A list:"]
)
def test_a_sentence_that_may_go_on_waits(text: str) -> None:
    segmenter = Segmenter()
    segmenter.push(text)
    assert segmenter.complete() == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Of course I can, and gladly. Now then, let us see. Go",
            ["Of course I can, ", "and gladly. ", "Now then, let us see. ", "Go"],
        ),
        ("Yes, of course. Go", ["Yes, of course. ", "Go"]),
        ("当然可以的，我来帮你。好", ["当然可以的，", "我来帮你。", "好"]),
        ("It costs 1,000 dollars; that is much. Go", ["It costs 1,000 dollars; ", "that is much. ", "Go"]),
    ],
)
def test_the_first_segment_may_be_a_clause(text: str, expected: list[str]) -> None:
    assert segments_of([text], clause_first=True) == segments_of(list(text), clause_first=True) == expected


def test_after_a_clear_the_first_segment_may_be_a_clause_again() -> None:
    segmenter = Segmenter(clause_first=True)
    assert segmenter.push("A first clause, a second clause, and") == ["A first clause, "]
    segmenter.clear()
    assert segmenter.push("Another clause, and") == ["Another clause, "]
