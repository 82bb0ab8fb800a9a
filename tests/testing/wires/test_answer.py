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


@pytest.mark.parametrize("resource", ["", "/", "/v1", "/v1/stt/", "/v2/listen", "/stt?/v1/stt"])
def test_other_paths_are_refused_with_404(resource: str) -> None:
    assert answer(resource, "x") == Refuse(404)
