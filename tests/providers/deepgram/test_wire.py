from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.provider.messages import Unknown
from trio_speech.errors import ProtocolError
from trio_speech.providers._json import encode
from trio_speech.providers.deepgram import wire


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        (wire.KeepAlive(), '{"type":"KeepAlive"}'),
        (wire.Finalize(), '{"type":"Finalize"}'),
        (wire.CloseStream(), '{"type":"CloseStream"}'),
        (wire.Configure(("a", "b")), '{"type":"Configure","keyterms":["a","b"]}'),
        (wire.Configure(()), '{"type":"Configure","keyterms":[]}'),
    ],
)
def test_what_is_said_to_the_service(message: Any, frame: str) -> None:
    assert encode(message) == frame


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ('{"type":"SpeechStarted","channel":[0],"timestamp":1.1}', wire.SpeechStarted(1.1)),
        ('{"type":"UtteranceEnd","channel":[0,1],"last_word_end":2.95}', wire.UtteranceEnd(2.95)),
        ('{"type":"Metadata","transaction_key":"deprecated","duration":25.9,"channels":1}', wire.Metadata()),
        ('{"type":"ConfigureSuccess","request_id":"r","keyterms":["x"]}', wire.ConfigureSuccess()),
        (
            '{"type":"ConfigureFailure","request_id":"r","code":"CONFIGURE_ALREADY_PENDING","description":"one"}',
            wire.ConfigureFailure("CONFIGURE_ALREADY_PENDING", "one", "r"),
        ),
        (
            '{"type":"Error","variant":"SchemaError","description":"no","message":"<offending client text>"}',
            wire.Error("SchemaError", "no"),
        ),
        ('{"type":"Something"}', Unknown("Something")),
    ],
)
def test_what_the_service_says(frame: str, message: Any) -> None:
    assert wire.from_server.decode(frame) == message


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"start": 0, "duration": 1},
        {"start": 0, "channel": {}},
        {"duration": 1, "channel": {}},
        {"start": "0", "duration": 1, "channel": {}},
        {"start": 1e10, "duration": 1, "channel": {}},
        {"start": 0, "duration": 1, "channel": {"alternatives": None}},
        {"start": 0, "duration": 1, "channel": {"alternatives": [{"words": [{"start": None}]}]}},
    ],
)
def test_results_of_no_window_are_malformed(body: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        wire.from_server.decode(json.dumps({"type": "Results", **body}))


NUMBERS = st.integers() | st.floats()
WORDS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "word": st.text(),
            "start": NUMBERS,
            "end": NUMBERS,
            "speaker": st.integers(),
            "punctuated_word": st.text(),
        },
    ),
    max_size=3,
)
CHANNELS = st.fixed_dictionaries(
    {},
    optional={
        "alternatives": st.lists(
            st.fixed_dictionaries(
                {}, optional={"transcript": st.text(), "words": st.none() | WORDS, "languages": st.lists(st.text())}
            ),
            max_size=2,
        )
    },
)
RESULTS = st.fixed_dictionaries(
    {"type": st.just("Results"), "start": NUMBERS, "duration": NUMBERS, "channel": CHANNELS},
    optional={"is_final": st.booleans(), "speech_final": st.booleans(), "from_finalize": st.booleans()},
)
OTHERS = st.fixed_dictionaries(
    {"type": st.sampled_from(["SpeechStarted", "UtteranceEnd", "Metadata", "ConfigureFailure", "Error", "New"])},
    optional={"timestamp": NUMBERS, "last_word_end": NUMBERS, "code": st.none() | st.text(), "variant": NUMBERS},
)
FRAMES = (RESULTS | OTHERS).map(json.dumps) | st.text() | st.binary()


@given(FRAMES)
def test_whatever_comes_is_a_message_or_a_protocol_error(frame: str | bytes) -> None:
    try:
        said = wire.from_server.decode(frame)
    except ProtocolError:
        return
    assert type(said).__module__ in (wire.__name__, Unknown.__module__)
