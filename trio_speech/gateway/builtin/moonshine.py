"""Moonshine tiny-en, a small neural recognizer: a stretch of audio in, its text out. The weights are in a wheel.

The files are read from the package ``moonshine-voice`` and run by ONNX Runtime. The package itself is not imported: its
native library mixes up results when threads share it, and its own voice detector hears "You" before speech.

Source: the graphs' own inputs and outputs, and the files of moonshine-voice 0.1.0 (MIT).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy

from .frames import RATE
from .onnx import load, model_file
from .silero import Audio

PACKAGE = "moonshine_voice"

_FILES = {
    "assets/tiny-en/encoder_model.ort": "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
    "assets/tiny-en/decoder_model_merged.ort": "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
    "assets/tiny-en/tokenizer.bin": "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
}
_START, _END = 1, 2  # tokens
_HEADS, _HEAD_SIZE = 8, 36  # of the decoder's attention
_TOKENS_PER_SECOND = 6.5  # more than anybody speaks: a model that repeats itself is stopped there
_FEWEST_TOKENS = 8
_SPACE = "\u2581"


class Moonshine:
    """The model, shared by all sessions and threads: 0.3 s to load, 180 MB."""

    def __init__(self) -> None:
        """Raises `EngineFailed` when the files are missing, or are not those of moonshine-voice 0.1.0."""
        encoder, decoder, tokens = (model_file(PACKAGE, path, sha256) for path, sha256 in _FILES.items())
        self.encoder, self.decoder = load(encoder), load(decoder)
        self._tokens = list(_tokens(tokens))
        outputs = [each.name for each in self.decoder.get_outputs()]
        self.caches = {name.replace("present", "past_key_values"): name for name in outputs if name != "logits"}
        """The decoder's caches: the name of each as an input, and as an output."""

    def transcribe(self, audio: Audio) -> str:
        """Returns the text of up to 20 s of speech, with capitals and punctuation. Equal audio gives equal text."""
        return self.text(self.tokens(audio))

    def text(self, tokens: Sequence[int]) -> str:
        """Returns the text that the tokens spell."""
        return b"".join(self._tokens[each] for each in tokens).decode(errors="replace").replace(_SPACE, " ").strip()

    def tokens(self, audio: Audio, draft: Sequence[int] = ()) -> list[int]:
        """Returns the tokens of the text: at each step the most probable one, until the model ends the text.

        `draft` is a guess at the first tokens, such as the tokens of a shorter window of the same audio. It is checked
        in a single run, and the tokens that are right need not be decoded one by one: this saves a third of the time.
        The model's numbers are coarse, and a longer run rounds them differently: where two tokens are nearly equally
        probable, a draft may change the choice.
        """
        decoding = _Decoding(self, audio)
        longest = max(_FEWEST_TOKENS, int(_TOKENS_PER_SECOND * len(audio) / RATE))
        tokens: list[int] = []
        guess = list(draft[: longest - 1])
        while len(tokens) < longest:
            best = decoding.run([tokens[-1] if tokens else _START, *guess])
            right = next((at for at, (a, b) in enumerate(zip(guess, best, strict=False)) if a != b), len(guess))
            decoding.forget(len(guess) - right)
            tokens += guess[:right]
            if best[right] == _END:
                break
            tokens.append(best[right])
            guess = []
        return tokens


class _Decoding:
    """The state of decoding one text: the encoder's output, and the decoder's caches for the tokens so far."""

    def __init__(self, model: Moonshine, audio: Audio) -> None:
        self._model = model
        everything = numpy.ones((1, len(audio)), numpy.int64)  # in samples, for the decoder too
        [hidden] = model.encoder.run(None, {"input_values": audio[None], "attention_mask": everything})
        length = hidden.shape[1]
        self._outputs = model.caches
        self._feed: dict[str, Any] = {
            "encoder_hidden_states": hidden,
            "encoder_attention_mask": everything,
            "use_cache_branch": numpy.array([False]),
            **{name: _empty_cache(0 if ".decoder." in name else length) for name in model.caches},
        }

    def run(self, tokens: Sequence[int]) -> list[int]:
        """Appends `tokens` to the text. Returns for each of them the token that most probably follows it."""
        self._feed["input_ids"] = numpy.array([tokens], numpy.int64)
        logits, *caches = self._model.decoder.run(["logits", *self._outputs.values()], self._feed)
        self._feed |= zip(self._outputs, caches, strict=True)
        # The caches of the encoder's output are computed by the first run; later ones would only copy them.
        self._outputs = {name: output for name, output in self._outputs.items() if ".decoder." in name}
        self._feed["use_cache_branch"] = numpy.array([True])
        best: list[int] = logits[0].argmax(axis=-1).tolist()
        return best

    def forget(self, count: int) -> None:
        """Removes the last `count` tokens from the text."""
        if count:
            self._feed |= {n: c[:, :, :-count] for n, c in self._feed.items() if ".decoder." in n}


def _empty_cache(length: int) -> Any:
    return numpy.zeros((1, _HEADS, length, _HEAD_SIZE), numpy.float32)


def _tokens(data: bytes) -> Iterator[bytes]:
    """Yields the texts in a token file. Each entry is a length (one byte, or two from 128 on) and the text's bytes."""
    at = 0
    while at < len(data):
        length, at = data[at], at + 1
        if length >= 128:
            length, at = length - 128 + 128 * data[at], at + 1
        yield data[at : at + length]
        at += length
