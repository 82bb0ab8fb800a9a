"""Audio files as sources: whatever header, container or pipe, what was recorded comes out, or what is wrong is said."""

from __future__ import annotations

import io
import os
import struct
import sys
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import trio
from trio.testing import MockClock

from trio_speech import AudioClip, AudioFormat, ConfigurationError
from trio_speech.audio import pcm16_to_alaw, pcm16_to_mulaw
from trio_speech.audio.files import AudioPath, DamagedAudio, open_audio, write_audio
from trio_speech.audio.writing import encode_audio

RATE = 16_000
NOISE = np.random.default_rng(7).integers(-32_768, 32_768, 20_001, dtype=np.int16)
PCM = NOISE.astype("<i2").tobytes()


async def decoded(file: AudioPath, **options: Any) -> bytes:
    async with open_audio(file, **options) as recording:
        return b"".join([chunk async for chunk in recording])


async def salvaged(file: AudioPath, **options: Any) -> tuple[bytes, DamagedAudio]:
    audio = b""
    try:
        async with open_audio(file, **options) as recording:
            async for chunk in recording:
                audio += chunk
    except DamagedAudio as damage:
        return audio, damage
    raise AssertionError("the file is not damaged")


def wav(*, riff: int | None = None, data: int | None = None, extra: bytes = b"", tail: bytes = b"") -> bytes:
    """A WAV of `PCM`, with the sizes that its header is to announce."""
    body = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16) + extra
    body += b"data" + struct.pack("<I", len(PCM) if data is None else data) + PCM + tail
    return b"RIFF" + struct.pack("<I", 4 + len(body) if riff is None else riff) + b"WAVE" + body


def au(size: int, encoding: int = 3, samples: bytes = NOISE.astype(">i2").tobytes(), start: int = 24) -> bytes:
    return b".snd" + struct.pack(">5I", start, size, encoding, RATE, 1) + bytes(start - 24) + samples


@pytest.mark.parametrize(
    "content",
    [
        wav(),
        wav(extra=b"LIST" + struct.pack("<I", 3) + b"abc\0"),
        wav(tail=b"LIST" + struct.pack("<I", 4) + b"abcd"),
        wav(riff=0, data=0),
        wav(riff=36, data=0),
        wav(riff=0xFFFF_FFFF, data=0xFFFF_FFFF),
        wav(data=0x7FFF_F000),
        au(len(PCM)),
        au(0),
        au(0xFFFF_FFFF, start=32),
    ],
    ids=[
        "whole",
        "chunk before",
        "chunk after",
        "sizes 0",
        "never closed",
        "streamed",
        "sox",
        "au",
        "au 0",
        "au streamed",
    ],
)
@pytest.mark.parametrize("way", ["file", "object", "pipe"])
async def test_wav_and_au_are_read_whatever_sizes_they_announce(tmp_path: Path, content: bytes, way: str) -> None:
    if way == "file":
        (tmp_path / "x.raw").write_bytes(content)  # nothing hangs on the name
        assert await decoded(tmp_path / "x.raw") == PCM
    elif way == "object":
        assert await decoded(io.BytesIO(content)) == PCM
    else:
        async with trio.open_nursery() as nursery:
            with piped(nursery, content) as pipe:
                assert await decoded(pipe) == PCM


def piped(nursery: trio.Nursery, content: bytes) -> io.BufferedReader:
    """The end to read of a pipe that `content` is written into."""
    reads, writes = os.pipe()

    def write() -> None:
        with os.fdopen(writes, "wb") as file:
            file.write(content)

    nursery.start_soon(trio.to_thread.run_sync, write)
    return os.fdopen(reads, "rb")


async def test_a_truly_empty_wav_gives_no_audio(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").write_bytes(encode_audio(b"", AudioFormat.pcm16(RATE)))
    assert await decoded(tmp_path / "empty.wav") == b""


async def test_a_wav_cut_short_is_salvaged(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    path.write_bytes(wav()[: 44 + 2 * 8_000])
    audio, damage = await salvaged(path)
    assert audio == PCM[: 2 * 8_000]
    assert damage.seconds == 0.5
    assert str(damage) == f"{path}: it is cut short: its header announces 1.25 s, of which 0.50 s were read"


@pytest.mark.parametrize("keep", [0.3, 0.8])
async def test_a_damaged_flac_is_salvaged_up_to_the_damage(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "damaged.flac"
    soundfile.write(path, np.tile(NOISE, 4), RATE)
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    audio, damage = await salvaged(path)
    assert audio == (PCM * 4)[: len(audio)]
    assert len(audio) >= (keep - 0.15) * 4 * len(PCM)
    assert damage.seconds == len(audio) / 2 / RATE


async def test_a_flac_of_unknown_length_is_whole(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "streamed.flac", NOISE, RATE)
    content = bytearray((tmp_path / "streamed.flac").read_bytes())
    content[21] &= 0xF0  # 36 bits of STREAMINFO (RFC 9639, section 8.2) hold the number of samples; 0 is unknown
    content[22:26] = bytes(4)
    content[26:42] = bytes(16)  # and the MD5 of them
    (tmp_path / "streamed.flac").write_bytes(content)
    assert await decoded(tmp_path / "streamed.flac") == PCM


@pytest.mark.parametrize(
    ("subtype", "tolerance"),
    [("PCM_U8", 256), ("PCM_24", 0), ("PCM_32", 0), ("FLOAT", 0), ("DOUBLE", 0), ("ULAW", 1_100), ("ALAW", 1_100)],
)
async def test_each_encoding_of_wav_is_decoded(tmp_path: Path, subtype: str, tolerance: int) -> None:
    noise = NOISE / 32_768 if subtype in ("FLOAT", "DOUBLE") else NOISE  # libsndfile does not scale into floats
    soundfile.write(tmp_path / "x.wav", noise, RATE, subtype=subtype)
    found = np.frombuffer(await decoded(tmp_path / "x.wav"), "<i2").astype(int)
    assert np.abs(found - NOISE).max() <= tolerance


@pytest.mark.parametrize(
    ("encoding", "samples"),
    [
        (2, (NOISE >> 8).astype("i1").tobytes()),
        (4, b"".join(int(value).to_bytes(2, "big", signed=True) + b"\0" for value in NOISE)),
        (5, (NOISE.astype(">i4") << 16).astype(">i4").tobytes()),
        (6, (NOISE / 32_768).astype(">f4").tobytes()),
        (7, (NOISE / 32_768).astype(">f8").tobytes()),
    ],
)
async def test_each_encoding_of_au_is_decoded(encoding: int, samples: bytes) -> None:
    found = np.frombuffer(await decoded(io.BytesIO(au(0, encoding, samples))), "<i2").astype(int)
    assert np.abs(found - NOISE).max() <= (255 if encoding == 2 else 0)


@pytest.mark.parametrize(
    ("audio_format", "audio"),
    [
        (AudioFormat.pcm16(RATE), PCM),
        (AudioFormat.pcm16(RATE, 2), np.repeat(NOISE, 2).tobytes()),
        (AudioFormat.mulaw(RATE), pcm16_to_mulaw(PCM)),
        (AudioFormat.alaw(RATE), pcm16_to_alaw(PCM)),
    ],
    ids=str,
)
async def test_raw_samples_are_read_in_the_format_given(audio_format: AudioFormat, audio: bytes) -> None:
    found = np.frombuffer(await decoded(io.BytesIO(audio), raw=audio_format), "<i2").astype(int)
    assert np.abs(found - NOISE).max() <= (0 if audio_format.encoding == "pcm_s16le" else 1_100)


async def test_the_channels_are_mixed_or_one_is_taken(tmp_path: Path) -> None:
    left, right = NOISE // 2, -(NOISE // 4)
    soundfile.write(tmp_path / "stereo.flac", np.stack([left, right], axis=1), RATE)
    for channel, expected in ((0, left), (1, right), (None, (left.astype(int) + right) / 2)):
        found = np.frombuffer(await decoded(tmp_path / "stereo.flac", channel=channel), "<i2").astype(int)
        assert np.abs(found - expected).max() <= 0.5
    with pytest.raises(ConfigurationError, match=r"channel must be from 0 to 1 for .*stereo\.flac, not 2"):
        await decoded(tmp_path / "stereo.flac", channel=2)


async def test_audio_can_be_given_out_in_real_time(tmp_path: Path, autojump_clock: MockClock) -> None:
    write_audio(tmp_path / "x.wav", PCM, AudioFormat.pcm16(RATE))
    async with open_audio(tmp_path / "x.wav", speed=2.0) as recording:
        assert (recording.duration, recording.audio_format) == (20_001 / RATE, AudioFormat.pcm16(RATE))
        async for _ in recording:
            assert trio.current_time() == pytest.approx(recording.position / 2)
    assert trio.current_time() == pytest.approx(20_001 / RATE / 2)


async def test_a_pipe_of_raw_samples_is_read_while_it_is_written() -> None:
    reads, writes = os.pipe()
    with os.fdopen(reads, "rb") as pipe:
        async with open_audio(pipe, raw=AudioFormat.pcm16(RATE)) as recording:
            os.write(writes, PCM[:1_001])  # half a sample waits for its other half
            assert await anext(recording) == PCM[:1_000]
            os.write(writes, PCM[1_001:2_000])
            assert await anext(recording) == PCM[1_000:2_000]
            os.close(writes)
            assert [chunk async for chunk in recording] == []


async def test_waiting_for_a_pipe_can_be_cancelled() -> None:
    reads, writes = os.pipe()
    with os.fdopen(reads, "rb") as pipe, trio.move_on_after(0.05) as scope:
        try:
            await decoded(pipe, raw=AudioFormat.pcm16(RATE))
        finally:
            os.close(writes)  # which lets the thread end before its file is closed
    assert scope.cancelled_caught


async def test_waiting_for_the_writer_of_a_fifo_can_be_cancelled(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with trio.move_on_after(0.05) as scope:
        await decoded(tmp_path / "fifo")
    assert scope.cancelled_caught
    os.close(os.open(tmp_path / "fifo", os.O_WRONLY))
    await trio.sleep(0.05)  # the thread comes back, and closes what it has opened


async def test_reading_a_fifo_can_be_cancelled(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    async with trio.open_nursery() as nursery:
        opening = trio.to_thread.run_sync
        nursery.start_soon(opening, keep_open, tmp_path / "fifo")
        with trio.move_on_after(0.2) as scope:
            await decoded(tmp_path / "fifo", raw=AudioFormat.pcm16(RATE))
    assert scope.cancelled_caught


def keep_open(fifo: Path) -> None:
    with open(fifo, "wb") as file:
        time.sleep(0.4)
        file.write(PCM)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"not a recording", "holds no audio that can be decoded"),
        (b"RIFF\0\0\0\0WAVEfmt ", "holds no audio that can be decoded"),
        (b".snd", "holds no audio that can be decoded"),
        (b"\0\0\0\x18ftypM4A ", "pip install 'trio-speech\\[media\\]'|holds no audio that can be decoded"),
    ],
)
async def test_what_is_no_audio_is_named(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / "notes.wav").write_bytes(content)
    with pytest.raises(ConfigurationError, match=rf"notes\.wav .*({complaint})"):
        await decoded(tmp_path / "notes.wav")


@pytest.mark.parametrize("rate", [1, 999, 800_000, 2**32 - 1])
async def test_a_sample_rate_that_no_recording_has_is_named(rate: int) -> None:
    header = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate % 2**32, 2, 16)
    content = b"RIFF\0\0\0\0WAVEfmt " + header + b"data\0\0\0\0" + PCM
    with pytest.raises(ConfigurationError, match=f"announces {rate} samples a second"):
        await decoded(io.BytesIO(content))


async def test_an_encoding_that_ffmpeg_does_not_know_is_named() -> None:
    pytest.importorskip("av")
    header = struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 0)  # 0 bits a sample
    content = b"RIFF\0\0\0\0WAVEfmt " + header + b"data\x10\0\0\0" + bytes(16)
    with pytest.raises(ConfigurationError, match="in an encoding that is not known"):
        await decoded(io.BytesIO(content))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
async def test_a_name_that_is_not_utf_8_can_be_opened_and_printed(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.wav")
    path.write_bytes(encode_audio(PCM, AudioFormat.pcm16(RATE)))
    async with open_audio(path) as recording:
        assert recording.name == f"{tmp_path}/\\xff.wav"


async def test_the_formats_of_phones_name_their_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trio_speech.audio.files.find_spec", lambda _: None)
    for head in (b"\0\0\0\x18ftypM4A ", b"\x1a\x45\xdf\xa3", b"\xff\xf1", b"#!AMR\n"):
        (tmp_path / "memo").write_bytes(head + bytes(100))
        with pytest.raises(ConfigurationError, match="needs another package: pip install 'trio-speech"):
            await decoded(tmp_path / "memo")


async def test_a_clip_is_saved_as_its_ending_says(tmp_path: Path) -> None:
    clip = AudioClip(PCM, AudioFormat.pcm16(RATE), ())
    for ending in ("wav", "flac"):
        clip.save(tmp_path / f"clip.{ending}")
        assert await decoded(tmp_path / f"clip.{ending}") == PCM
    AudioClip(pcm16_to_mulaw(PCM), AudioFormat.mulaw(), ()).save(tmp_path / "call.wav")
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert file.getframerate() == 8_000
    with pytest.raises(ConfigurationError, match="use an ending that names an audio format"):
        clip.save(tmp_path / "clip.doc")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        clip.save(tmp_path / "nowhere" / "clip.wav")
