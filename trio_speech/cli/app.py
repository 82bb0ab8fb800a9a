"""The commands of ``trio-speech``. Each result goes to standard output, everything else to standard error."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated, Literal

import trio
import typer

from .audiofile import STANDARD, check_writable, open_recording, opened, read_text, write_clip
from .backends import BACKENDS, BackendName
from .captions import FORMATS
from .chaos import load_plan, parse_address, relay
from .demo import demonstrate
from .doctor import diagnose
from .exits import code_of, exit_codes, network_news, report_gaps, results
from .oneshot import recognize, render
from .server import parse_keys, serve_tcp

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Speech to text and back, over a network that breaks.",
    epilog="Exit codes: 0 done, 1 the service or the network failed, 2 wrong use, 3 done with gaps, 130 interrupted.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"trio-speech {version('trio-speech')}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the command itself, without one of its subcommands."""


Backend = Annotated[
    BackendName,
    typer.Option(envvar="TRIO_SPEECH_BACKEND", help="The service; all but local want credentials in the environment."),
]
Model = Annotated[str | None, typer.Option(help="provider/model, as the service names it.")]
Language = Annotated[str | None, typer.Option(help="A language code, such as en or pt-BR.")]


@app.command()
def transcribe(
    file: Annotated[str, typer.Argument(help="A recording: WAV, FLAC, OGG, MP3 and more; - reads standard input.")],
    *,
    backend: Backend = "local",
    model: Model = None,
    language: Language = None,
    format: Annotated[Literal["text", "json", "srt", "vtt"], typer.Option(help="How to write it.")] = "text",
) -> None:
    """Recognize the speech in a recording."""
    with exit_codes(), network_news(), open_recording(file) as recording:
        output = opened(sys.stdout)
        recognition = trio.run(recognize, BACKENDS[backend](), recording, model, language)
        output.write(FORMATS[format](recognition))
        output.flush()
    report_gaps(recognition.gaps)


@app.command()
def speak(
    text: Annotated[str, typer.Argument(help="What to say; - reads standard input.")],
    output: Annotated[str, typer.Option("--output", "-o", help="The file: .wav, .flac, .ogg and more; - writes WAV.")],
    *,
    backend: Backend = "local",
    model: Model = None,
    voice: Annotated[str | None, typer.Option(help="A voice of the model.")] = None,
    language: Language = None,
) -> None:
    """Speak a text into an audio file."""
    with exit_codes(), network_news():
        check_writable(output)
        words = read_text() if text == STANDARD else text
        clip = trio.run(render, BACKENDS[backend](), words, model, voice, language)
        write_clip(clip, output)


@app.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 8_080,
    key: Annotated[
        list[str] | None,
        typer.Option(envvar="TRIO_SPEECH_KEYS", help="KEY:SECRET, for each client to be let in.", show_default=False),
    ] = None,
) -> None:
    """Serve the embedded engines to any client of the LiveKit inference protocol."""
    with exit_codes():
        trio.run(serve_tcp, host, port, parse_keys(key or ()))


@app.command()
def chaos(
    *,
    listen: Annotated[str, typer.Option(help="HOST:PORT for clients to dial; port 0 takes a free one.")],
    plan: Annotated[str, typer.Option(help="A TOML file: what each connection meets.")],
    upstream: Annotated[
        str | None, typer.Option(help="HOST:PORT of the service; without it, clients ask as of an HTTPS_PROXY.")
    ] = None,
) -> None:
    """Run a fault proxy between any client and a service, which breaks connections as planned."""
    with exit_codes():
        trio.run(relay, parse_address(listen), None if upstream is None else parse_address(upstream), load_plan(plan))


@app.command()
def demo() -> None:
    """Speak, listen, have the connection cut half way, and show that no word was lost."""
    with exit_codes():
        trio.run(demonstrate, results)


@app.command()
def doctor(*, backend: Backend = "local") -> None:
    """Report what is installed and which services answer. Shows no credentials."""
    with exit_codes():
        diagnosis = trio.run(diagnose, results, backend)
    if diagnosis.trouble is not None:
        raise typer.Exit(code_of(diagnosis.trouble))
