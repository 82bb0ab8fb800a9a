from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.provider.messages import Unknown
from trio_speech.errors import ConfigurationError, ProtocolError
from trio_speech.providers._json import OneShape, TaggedUnion, audio_of, encode


class Apple(msgspec.Struct, tag="apple"):
    seeds: int


class Pear(msgspec.Struct, tag="pear"):
    names: tuple[str, ...] = ()


Fruit = Apple | Pear
fruit: TaggedUnion[Fruit] = TaggedUnion(Fruit)


def test_a_known_tag_decodes_wherever_it_stands_and_whatever_else_is_said() -> None:
    assert fruit.decode('{"seeds":3,"new":[1],"type":"apple"}') == Apple(3)


@pytest.mark.parametrize("frame", ['{"type":"plum"}', '{"type":"plum","seeds":"none"}', '{"seeds":1,"type":"plum"}'])
def test_an_unknown_tag_is_a_value(frame: str) -> None:
    assert fruit.decode(frame) == Unknown("plum")


def test_a_binary_frame_is_unknown_even_where_its_bytes_would_decode() -> None:
    assert fruit.decode(b'{"type":"apple","seeds":3}') == Unknown("binary")


def test_a_tag_is_never_kept_longer_than_it_is_worth() -> None:
    assert fruit.decode(json.dumps({"type": "x" * 100_000})) == Unknown("x" * 64)


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        "{}",
        '"apple"',
        '{"type":1}',
        '{"type":null}',
        '{"type":"apple"}',
        '{"type":"apple","seeds":"three"}',
        '{"type":"plum",',
        '{"type":"pear","names":[1]}',
        '{"type":"\ud800"}',
        '{"type":"pear","other":' + "[" * 100_000,
        '{"other":' + "[" * 100_000,
    ],
)
def test_what_is_malformed_says_so(frame: str) -> None:
    with pytest.raises(ProtocolError, match="malformed message"):
        fruit.decode(frame)


def test_the_error_quotes_no_content() -> None:
    with pytest.raises(ProtocolError) as caught:
        fruit.decode('{"type":"apple","seeds":"my secret"}')
    assert "secret" not in str(caught.value)


def test_messages_of_one_shape_need_no_tag() -> None:
    pear = OneShape(Pear)
    assert pear.decode('{"names":["a"],"new":1}') == pear.decode(b'{"names":["a"]}') == Pear(("a",))
    for frame in ("", "[]", '{"names":["my secret",1]}', '{"names":' + "[" * 100_000, b"\xff"):
        with pytest.raises(ProtocolError, match="malformed message") as caught:
            pear.decode(frame)
        assert "secret" not in str(caught.value)


def test_base64_is_decoded_and_never_quoted() -> None:
    assert audio_of("AQI=") == b"\x01\x02"
    assert audio_of("") == b""
    for text in ("my secret", "AQI", "AQ=I", "ä"):
        with pytest.raises(ProtocolError, match="malformed message") as caught:
            audio_of(text)
        assert text not in str(caught.value)


def test_structs_and_dicts_become_text() -> None:
    assert encode(Apple(3)) == '{"type":"apple","seeds":3}'
    assert encode({"a": [None, "ä"]}) == '{"a":[null,"ä"]}'


@given(
    st.text()
    | st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["type", "seeds", "names"]) | st.text(), inner),
    ).map(json.dumps)
)
def test_nothing_but_a_protocol_error_ever_leaves(frame: str | bytes) -> None:
    try:
        said = fruit.decode(frame)
    except ProtocolError:
        return
    assert isinstance(said, (Apple, Pear, Unknown))


def test_a_union_that_is_tagged_by_another_field_is_refused() -> None:
    class Melon(msgspec.Struct, tag_field="kind", tag="melon"):
        pass

    for union in (Melon, Melon | Pear):
        with pytest.raises(ConfigurationError, match='tag_field is "type"'):
            TaggedUnion(union)
