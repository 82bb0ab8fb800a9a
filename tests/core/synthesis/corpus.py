"""Texts as language models write them, in eight languages: made by a seeded random choice of sentences and of forms."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

SENTENCES: dict[str, tuple[str, ...]] = {
    "en": (
        "Dr. Smith paid $3.50 at 5 p.m. for it.",
        "Was it worth it?",
        "The U.S. team, e.g. J. R. Jones, won 3.14 points!",
        "See https://example.com/a.b?c=1.5 for more.",
        "Well... I think so.",
        "He said, “Wait.”",
    ),
    "de": (
        "Am 3. Oktober ist frei.",
        "Es kostet 3.000,50 Euro, z. B. für Dr. Meier.",
        "Wie geht es Ihnen?",
        "Die Temperatur beträgt 22,1 °C.",
        "Na ja … mal sehen!",
    ),
    "fr": (
        "M. Dupont arrive à 17 h 30.",
        "Ça coûte 3,50 €.",
        "Pourquoi pas ?",
        "« Bien sûr ! » dit-elle.",
        "C’est l’art. 5 de la loi.",
    ),
    "es": (
        "¿Cómo está usted?",
        "El Sr. García pagó 3.500 pesos.",
        "¡Qué bien!",
        "Son las 5 p. m. en Madrid.",
        "Pues… no lo sé.",
    ),
    "zh": ("今天３．１４元。", "“真的吗？”他说。", "你好！", "好的……再见。", "价格是3.5元，对吗？"),
    "ja": ("円周率は３．１４です。", "本当ですか？", "はい、そうです！", "東京は、とても大きいです。"),
    "hi": ("नमस्ते।", "आप कैसे हैं?", "यह 3.5 रुपये का है।", "डॉ. शर्मा आज आएँगे।"),
    "ar": ("مرحبا.", "كيف حالك؟", "السعر 3.5 دولار، أليس كذلك؟", "أنا بخير!"),
}
UNSPACED = ("zh", "ja")
FORMS: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: text,
    lambda text: f"**{text}**",
    lambda text: f"{text} 👍",
    lambda text: f"# {text}\n\n",
    lambda text: f"- {text}\n",
    lambda text: f"> {text}\n",
    lambda text: f"[{text}](https://example.com/x.y)",
    lambda text: f'<emotion value="sad"/> {text}',
    lambda text: f'{text} <break time="1.5s"/>',
    lambda text: f'<prosody rate="slow">{text}</prosody>',
    lambda text: f"`x = 1.5` {text}",
    lambda text: f"[laughs] {text}",
    lambda text: f"{text}\n\n",
)


def corpus(count: int = 300) -> list[tuple[str, str]]:
    """So many pairs of a language and a text in it."""
    random = Random("a corpus")
    languages = list(SENTENCES)
    return [(language, _text(random, language)) for language in (languages * count)[:count]]


def _text(random: Random, language: str) -> str:
    space = "" if language in UNSPACED else " "
    parts = [random.choice(FORMS)(random.choice(SENTENCES[language])) for _ in range(random.randint(2, 6))]
    if random.random() < 0.4:
        items = "".join(
            f"{number}. {random.choice(SENTENCES[language])}\n" for number in range(1, random.randint(3, 5))
        )
        parts.insert(random.randint(0, len(parts)), f"\n{items}\n")
    return space.join(parts)
