"""A telephone bridge: a websocket server that media streams of a telephone network call, and an agent that answers.

Each call is JSON in text messages, as the usual networks send it: ``start``, ``media`` (20 ms of μ-law in base64),
``mark`` (the caller has heard everything up to it) and ``stop`` come in; ``media``, ``mark`` and ``clear`` go out. The
agent repeats what it hears. Whoever speaks while it speaks interrupts it, and it knows how much was heard.

Run without arguments, a scripted caller calls the bridge over loopback. With a port, it serves::

    python 09_telephone_bridge.py 8080
"""

from __future__ import annotations

import base64
import json
import sys
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import soxr
import trio
import trio_websocket
from numpy import frombuffer, int16

import trio_speech as ts
from trio_speech.audio import mulaw_to_pcm16, pcm16_to_mulaw

LINE = ts.AudioFormat.pcm16(8_000)  # services that take μ-law need no conversion: ts.AudioFormat.mulaw()
FRAME = 0.02
SAMPLES = LINE.samples(FRAME)
MARK_EVERY = 5  # frames

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Call:
    """One call. `handle` takes each message that comes in; `send` puts one out."""

    def __init__(self, transcript: ts.Transcript, speech: ts.Speech, send: Send) -> None:
        self.heard_by_caller = 0.0
        """How many seconds of the agent's audio the caller has heard."""
        self._transcript = transcript
        self._speech = speech
        self._send = send
        self._stream = ""
        self._history = ""
        self._talk = 0  # counts interruptions: marks of a talk that was cleared say nothing of the next one

    async def handle(self, message: dict[str, Any]) -> None:
        match message:
            case {"event": "start", "start": {"streamSid": name}}:
                self._stream = name
            case {"event": "media", "media": {"payload": payload}}:
                await self._transcript.send(mulaw_to_pcm16(base64.b64decode(payload)))
            case {"event": "mark", "mark": {"name": name}}:
                talk, position = name.split(":")
                if int(talk) == self._talk:
                    self.heard_by_caller = float(position)
            case _:
                pass

    async def listen(self) -> None:
        """Answers what the caller says, and falls silent when the caller begins to speak. Ends with the call."""
        async for event in self._transcript:
            match event:
                case ts.SpeechStarted():
                    await self._interrupt()
                case ts.FinalTranscript(text=text):
                    print(f"caller: {text}")
                    await self._speech.send(f"You said: {text}. ")
                    self._speech.flush()
                case _:
                    pass
        self._speech.end_input()

    async def _interrupt(self) -> None:
        heard = self._speech.clear(heard=self.heard_by_caller)
        reply, self._history = heard[len(self._history) :].strip(), heard
        self._talk += 1
        await self._send({"event": "clear", "streamSid": self._stream})
        if reply:
            print(f"the caller has heard: {reply}")

    async def speak(self) -> None:
        """Plays the agent's audio to the line, a frame every 20 ms: what is not sent yet can be taken back at once."""
        due, frames = trio.current_time(), 0
        async for chunk in self._speech:
            talk, audio = self._talk, pcm16_to_mulaw(chunk.audio)
            for at in range(0, len(audio), SAMPLES):
                due = max(due, trio.current_time())
                await trio.sleep_until(due)
                if talk != self._talk:  # interrupted: the rest of the chunk is dropped
                    break
                frame = audio[at : at + SAMPLES]
                due += LINE.seconds(len(frame))
                payload = base64.b64encode(frame).decode()
                await self._send({"event": "media", "streamSid": self._stream, "media": {"payload": payload}})
                frames += 1
                if frames % MARK_EVERY == 0:
                    await self._mark(talk, chunk.start + LINE.seconds(at + len(frame)))
            if chunk.ends_segment:  # else the last word of a sentence might count as not heard
                await self._mark(talk, chunk.start + LINE.seconds(len(audio)))

    async def _mark(self, talk: int, position: float) -> None:
        """The network sends this back once the caller has heard all that was sent before it."""
        mark = {"name": f"{talk}:{position:.6f}"}
        await self._send({"event": "mark", "streamSid": self._stream, "mark": mark})


async def answer(
    client: ts.Client, receive: Callable[[], Awaitable[str | bytes]], send: Callable[[str], Awaitable[None]]
) -> None:
    """Serves one call, until it stops. `receive` raises `trio_websocket.ConnectionClosed` if the network hangs up."""

    async def send_json(message: dict[str, Any]) -> None:
        await send(json.dumps(message))

    async with client.transcribe(None, LINE) as transcript, client.synthesize(audio_format=LINE) as speech:
        call = Call(transcript, speech, send_json)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(call.listen)
            nursery.start_soon(call.speak)
            try:
                while (message := json.loads(await receive()))["event"] != "stop":
                    await call.handle(message)
            except trio_websocket.ConnectionClosed:
                nursery.cancel_scope.cancel()  # nobody is left to hear the rest
            transcript.end_input()


async def serve(client: ts.Client, port: int, task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED) -> None:
    """Serves calls over a websocket. Real networks want TLS: put a proxy in front of it."""

    async def take(request: trio_websocket.WebSocketRequest) -> None:
        socket = await request.accept()
        await answer(client, socket.get_message, socket.send_message)
        await socket.aclose()

    await trio_websocket.serve_websocket(take, "127.0.0.1", port, None, task_status=task_status)


async def scripted_caller(port: int) -> None:
    """Stands in for a telephone network: somebody says two sentences, listens to the answers, and hangs up."""
    with wave.open(str(Path(__file__).with_name("recording.wav"))) as file:
        samples = frombuffer(file.readframes(file.getnframes()), int16)
        said = pcm16_to_mulaw(soxr.resample(samples, file.getframerate(), 8_000).tobytes())
    said += b"\xff" * 8_000 * 6
    async with (
        trio_websocket.open_websocket("127.0.0.1", port, "/", use_ssl=False) as line,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(listen_to, line)
        await line.send_message(json.dumps({"event": "start", "start": {"streamSid": "MZ1"}}))
        due = trio.current_time()
        for at in range(0, len(said), SAMPLES):
            media = {"payload": base64.b64encode(said[at : at + SAMPLES]).decode()}
            await line.send_message(json.dumps({"event": "media", "media": media}))
            due += FRAME
            await trio.sleep_until(due)
        await line.send_message(json.dumps({"event": "stop"}))


async def listen_to(line: trio_websocket.WebSocketConnection) -> None:
    """The other end of the caller's line: it plays at once, so each mark is sent back at once."""
    seconds = 0.0
    try:
        while message := json.loads(await line.get_message()):
            if message["event"] == "media":
                seconds += FRAME
            elif message["event"] == "mark":
                await line.send_message(json.dumps(message))
    except trio_websocket.ConnectionClosed:
        print(f"the line was used for {seconds:.0f} s of answers")


async def main() -> None:
    async with ts.open_client(ts.Local()) as client, trio.open_nursery() as nursery:
        await client.prewarm()
        if len(sys.argv) > 1:
            await serve(client, int(sys.argv[1]))
        server = await nursery.start(serve, client, 0)
        await scripted_caller(server.port)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
