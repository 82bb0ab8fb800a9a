from __future__ import annotations

import pytest

from trio_speech.testing import Refuse
from trio_speech.testing.scripted.wires import answer
from trio_speech.testing.scripted.wires.deepgram import DeepgramWire
from trio_speech.testing.scripted.wires.livekit import LiveKitWire


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        ("/v1/stt", LiveKitWire),
        ("/v1/tts?model=x", LiveKitWire),
        ("/v1/listen?model=nova-3&encoding=linear16&sample_rate=8000", DeepgramWire),
        ("/v1/listen", Refuse),
    ],
)
def test_the_path_selects_the_wire(resource: str, kind: type) -> None:
    assert isinstance(answer(resource, "x"), kind)


@pytest.mark.parametrize("resource", ["", "/", "/v1", "/v1/stt/", "/v3/listen", "/stt?/v1/stt"])
def test_other_paths_are_refused_with_404(resource: str) -> None:
    assert answer(resource, "x") == Refuse(404)


def test_other_wires_come_first_and_a_star_stands_for_any_text() -> None:
    made: list[tuple[str, str]] = []

    def mine(query: str, session_id: str) -> Refuse:
        made.append((query, session_id))
        return Refuse(418)

    others = {"/v1/voices/*/stream": mine, "/v1/stt": mine}
    assert answer("/v1/voices/ann/stream?a=b", "x", others) == answer("/v1/stt", "y", others) == Refuse(418)
    assert made == [("a=b", "x"), ("", "y")]
    assert isinstance(answer("/v1/tts", "z", others), LiveKitWire)
