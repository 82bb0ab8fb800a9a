"""Converts names and codes of languages to the form that services take: ISO 639-1, then script and region."""

from __future__ import annotations

_ISO_639 = """
aa aar afar; ab abk abkhazian; ae ave avestan; af afr afrikaans; ak aka akan; am amh amharic; an arg aragonese;
ar ara arabic; as asm assamese; av ava avaric; ay aym aymara; az aze azerbaijani; ba bak bashkir; be bel belarusian;
bg bul bulgarian; bi bis bislama; bm bam bambara; bn ben bengali; bo bod tibetan; br bre breton; bs bos bosnian;
ca cat catalan; ce che chechen; ch cha chamorro; co cos corsican; cr cre cree; cs ces czech; cu chu church slavic;
cv chv chuvash; cy cym welsh; da dan danish; de deu german; dv div dhivehi; dz dzo dzongkha; ee ewe ewe; el ell greek;
en eng english; eo epo esperanto; es spa spanish; et est estonian; eu eus basque; fa fas persian; ff ful fulah;
fi fin finnish; fj fij fijian; fo fao faroese; fr fra french; fy fry western frisian; ga gle irish;
gd gla scottish gaelic; gl glg galician; gn grn guarani; gu guj gujarati; gv glv manx; ha hau hausa; he heb hebrew;
hi hin hindi; ho hmo hiri motu; hr hrv croatian; ht hat haitian; hu hun hungarian; hy hye armenian; hz her herero;
ia ina interlingua; id ind indonesian; ie ile interlingue; ig ibo igbo; ii iii sichuan yi; ik ipk inupiaq; io ido ido;
is isl icelandic; it ita italian; iu iku inuktitut; ja jpn japanese; jv jav javanese; ka kat georgian; kg kon kongo;
ki kik kikuyu; kj kua kuanyama; kk kaz kazakh; kl kal kalaallisut; km khm khmer; kn kan kannada; ko kor korean;
kr kau kanuri; ks kas kashmiri; ku kur kurdish; kv kom komi; kw cor cornish; ky kir kyrgyz; la lat latin;
lb ltz luxembourgish; lg lug ganda; li lim limburgan; ln lin lingala; lo lao lao; lt lit lithuanian;
lu lub luba-katanga; lv lav latvian; mg mlg malagasy; mh mah marshallese; mi mri maori; mk mkd macedonian;
ml mal malayalam; mn mon mongolian; mr mar marathi; ms msa malay; mt mlt maltese; my mya burmese; na nau nauru;
nb nob norwegian bokmål; nd nde north ndebele; ne nep nepali; ng ndo ndonga; nl nld dutch; nn nno norwegian nynorsk;
no nor norwegian; nr nbl south ndebele; nv nav navajo; ny nya nyanja; oc oci occitan; oj oji ojibwa; om orm oromo;
or ori oriya; os oss ossetian; pa pan punjabi; pi pli pali; pl pol polish; ps pus pashto; pt por portuguese;
qu que quechua; rm roh romansh; rn run rundi; ro ron romanian; ru rus russian; rw kin kinyarwanda; sa san sanskrit;
sc srd sardinian; sd snd sindhi; se sme northern sami; sg sag sango; sh hbs serbo-croatian; si sin sinhala;
sk slk slovak; sl slv slovenian; sm smo samoan; sn sna shona; so som somali; sq sqi albanian; sr srp serbian;
ss ssw swati; st sot southern sotho; su sun sundanese; sv swe swedish; sw swa swahili; ta tam tamil; te tel telugu;
tg tgk tajik; th tha thai; ti tir tigrinya; tk tuk turkmen; tl tgl tagalog; tn tsn tswana; to ton tonga;
tr tur turkish; ts tso tsonga; tt tat tatar; tw twi twi; ty tah tahitian; ug uig uyghur; uk ukr ukrainian;
ur urd urdu; uz uzb uzbek; ve ven venda; vi vie vietnamese; vo vol volapük; wa wln walloon; wo wol wolof;
xh xho xhosa; yi yid yiddish; yo yor yoruba; za zha zhuang; zh zho chinese; zu zul zulu
"""
"""ISO 639-1 code, ISO 639-3 code and English name of every language that has the first."""

_OTHER_NAMES = {"cmn": "zh", "mandarin": "zh", "farsi": "fa", "slovene": "sl", "panjabi": "pa"}


def _codes() -> dict[str, str]:
    codes = dict(_OTHER_NAMES)
    for entry in _ISO_639.split(";"):
        short, long, name = entry.split(maxsplit=2)
        codes |= {long: short, name.strip(): short}
    return codes


_SHORT = _codes()


def normalize_language(language: str) -> str | None:
    """Returns the code for `language`: ``"en"`` for ``"English"`` or ``"eng"``, ``"zh-Hans-CN"`` for ``"zh_hans_cn"``.

    ``None`` for a blank text. A name that is not known is lower-cased and passed on, because services have words of
    their own, such as ``multi``.
    """
    lowered = " ".join(language.lower().split())
    if short := _SHORT.get(lowered):
        return short
    primary, *rest = lowered.replace("_", "-").split("-")
    return "-".join([primary, *(part.title() if len(part) == 4 else part.upper() for part in rest)]) or None


def primary_language(language: str | None) -> str | None:
    """Returns the code for `language` without script and region: ``"en"`` for ``"en-US"``; ``None`` for no text."""
    return (normalize_language(language or "") or "").partition("-")[0] or None
