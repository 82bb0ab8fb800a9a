"""Recordings over HTTP and S3: what is wrong with a server becomes a row, nothing hangs, and no credential is shown.

Needs aiohttp, s3fs and moto, which ``nox -s bulk`` installs.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

import trio_speech as ts
from trio_speech.bulk import BulkOptions, FileResult, Transcriber, find_recordings, remote, transcribe_archive
from trio_speech.testing import say

pytest.importorskip("aiohttp")
SECRET = "s3cret-of-the-url"
SAID = say(0.1, "hello", 0.4)


def wav() -> bytes:
    from trio_speech.audio.writing import encode_audio

    return encode_audio(SAID.audio, SAID.audio_format)


class Handler(BaseHTTPRequestHandler):
    """Serves one recording under every path, with the fault that the path names."""

    protocol_version = "HTTP/1.1"
    audio = wav()
    seen: ClassVar[list[tuple[str, str | None]]] = []
    released: ClassVar[threading.Event] = threading.Event()

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.seen.append((self.path, self.headers.get("Authorization")))
        if path == "/index/":
            listing = b"".join(b'<a href="%d.wav">one</a> <a href="%d.txt">two</a>' % (each, each) for each in (2, 1))
            self._answer(200, listing)
        elif path[1:4].isdecimal():
            self._answer(int(path[1:4]), b"no")
        else:
            self._answer(200, self.audio, fault=path)

    def _answer(self, status: int, body: bytes, fault: str = "") -> None:
        self.send_response(status)
        if "chunked" in fault:
            self.send_header("Transfer-Encoding", "chunked")
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if "short" in fault or "stalled" in fault:
            body = body[: len(body) // 2]
            self.close_connection = True
        self.wfile.write(body)
        self.wfile.flush()
        if "stalled" in fault:
            self.released.wait(60)


@pytest.fixture
def web() -> Generator[str]:
    Handler.seen.clear()
    Handler.released.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        Handler.released.set()
        server.shutdown()
        thread.join()


def attempt(service: Any, url: str, **options: Any) -> Any:
    with Transcriber(service.backend, BulkOptions(**options)) as transcriber:
        return transcriber.attempt(url)


@pytest.mark.parametrize("path", ["/a.wav", "/a.wav?version=2", "/chunked.wav", "/deep/a%20b.wav"])
def test_a_recording_is_read_from_any_server(service: Any, web: str, path: str) -> None:
    assert attempt(service, web + path).result.text == SAID.text


@pytest.mark.parametrize(
    ("path", "error", "may_succeed"),
    [
        ("/404.wav", "404 Not Found|No such file or directory", False),
        ("/403.wav", "403 Forbidden", False),
        ("/401.wav", "401 Unauthorized", False),
        ("/500.wav", "500 Internal Server Error", True),
        ("/429.wav", "429 Too Many Requests", True),
        ("/short.wav", "Response payload is not completed", True),
    ],
)
def test_what_a_server_answers_is_an_error_of_its_recording(
    service: Any, web: str, path: str, error: str, may_succeed: bool
) -> None:
    tried = attempt(service, f"{web}{path}?token={SECRET}")
    assert tried.may_succeed is may_succeed
    assert tried.ends_all is None
    assert tried.result.file.startswith(f"{web}{path}?token=")
    assert any(part in tried.result.error for part in error.split("|"))
    assert SECRET not in repr(tried)
    assert service.gateway.visits == []  # no session was opened, and billed, before there was audio


def test_a_server_that_stalls_or_is_not_there_is_given_up_on(
    service: Any, web: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_STALLED", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    for url in (f"{web}/stalled.wav", f"http://user:{SECRET}@127.0.0.1:{port}/a.wav"):
        tried = attempt(service, url)
        assert tried.may_succeed
        assert tried.result.error
        assert SECRET not in repr(tried)


def test_a_folder_of_a_server_is_listed(web: str) -> None:
    expected = [f"{web}/index/1.wav", f"{web}/index/2.wav"]
    assert find_recordings(f"{web}/index/") == expected
    assert find_recordings(f"{web}/index/*.wav") == expected


def test_a_listing_that_fails_is_an_error_without_credentials() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(ConnectionError, match="Cannot connect") as failed:
        find_recordings(f"http://user:{SECRET}@127.0.0.1:{port}/*.wav")
    assert SECRET not in str(failed.value)


def test_one_recording_by_two_credentials_is_refused(web: str) -> None:
    with pytest.raises(ts.ConfigurationError, match="is named twice") as failed:
        find_recordings([f"{web}/a.wav?Signature={SECRET}&Expires={each}" for each in range(2)])
    assert SECRET not in str(failed.value)


@pytest.fixture(scope="module")
def cluster() -> Generator[str]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=False,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as opened:
        yield opened.scheduler_address


def rows(out: Path) -> dict[str, FileResult]:
    lines = [line for shard in out.glob("*.jsonl") for line in shard.read_bytes().splitlines()]
    found = [msgspec.json.decode(line, type=FileResult) for line in lines]
    assert len({row.file for row in found}) == len(found)
    return {row.file: row for row in found}


def test_an_archive_of_signed_urls_is_resumed_though_they_are_signed_anew(
    service: Any, web: str, cluster: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def sources(signature: str) -> list[str]:
        signed = f"?X-Amz-Credential=AKID&X-Amz-Signature={signature}"
        return [f"http://user:{SECRET}@{web.removeprefix('http://')}/{name}.wav{signed}" for name in ("a", "b", "404")]

    asked: dict[str, Any] = {"out": tmp_path / "out", "client": cluster}
    summary = transcribe_archive(sources(SECRET), service.backend, **asked)
    assert (summary.done, summary.failed) == (2, 1)
    found = rows(tmp_path / "out")
    assert {name: row.text for name, row in found.items()} == {
        f"{web}/a.wav": SAID.text,
        f"{web}/b.wav": SAID.text,
        f"{web}/404.wav": "",
    }
    assert {authorization is not None for _, authorization in Handler.seen} == {True}
    assert SECRET not in repr((found, summary, caplog.text))
    again = transcribe_archive(sources("another")[:2], service.backend, **asked)
    assert (again.skipped, again.done) == (2, 0)


@pytest.fixture(scope="module")
def s3() -> Generator[dict[str, Any]]:
    moto = pytest.importorskip("moto.server")
    s3fs = pytest.importorskip("s3fs")
    server = moto.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = {"key": "AKID", "secret": SECRET, "endpoint_url": f"http://{host}:{port}"}
    system = s3fs.S3FileSystem(**options)
    system.mkdir("bucket")
    for name in ("calls/a.wav", "calls/deep/b c#d.wav", "calls/notes.txt"):
        system.pipe_file(f"bucket/{name}", wav())
    yield options
    server.stop()


def test_a_bucket_is_an_archive(service: Any, s3: dict[str, Any], cluster: str, tmp_path: Path) -> None:
    sources = ["s3://bucket/calls/**/*.wav", "s3://bucket/calls", "s3://bucket/absent.wav", "s3://absent/1.wav"]
    asked: dict[str, Any] = {"out": tmp_path / "out", "client": cluster, "storage_options": s3}
    summary = transcribe_archive(sources, service.backend, **asked)
    assert (summary.done, summary.failed) == (2, 2)
    found = rows(tmp_path / "out")
    assert {name: row.text or row.error for name, row in found.items()} == {
        "s3://bucket/calls/a.wav": SAID.text,
        "s3://bucket/calls/deep/b c#d.wav": SAID.text,
        "s3://bucket/absent.wav": "s3://bucket/absent.wav: No such file or directory",
        "s3://absent/1.wav": "s3://absent/1.wav: No such file or directory",
    }
    assert {row.tries for row in found.values()} == {1}
    assert SECRET not in repr(found)
    again = transcribe_archive(sources[:2], service.backend, **asked)
    assert (again.skipped, again.done) == (2, 0)


def test_a_bucket_out_of_reach_is_told(s3: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    unreachable = s3 | {"endpoint_url": f"http://127.0.0.1:{port}", "config_kwargs": {"retries": {"max_attempts": 0}}}
    with pytest.raises(ConnectionError, match="Could not connect to the endpoint URL"):
        find_recordings("s3://bucket/*.wav", unreachable)
