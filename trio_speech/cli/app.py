"""The commands of ``trio-speech``. Each result goes to standard output, everything else to standard error.

What only one command needs is imported when it runs: the test kit and the gateway alone take longer to import than a
finished archive takes to be found finished.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import trio
import typer

import trio_speech as ts
from trio_speech.bulk import EndpointLimits, transcribe_archive
from trio_speech.bulk.sample_rates import sample_rate_for

from .archive import archive_progress, summary_text
from .backends import BACKENDS, BackendName
from .batch import recordings_in, results_in, transcribe_all
from .exits import FAILED, INCOMPLETE, code_of, exit_codes, messages, network_news, report_gaps, results
from .standard import STANDARD, check_output, opened, read_text, source_of, write_clip
from .transcription import FormatName, TranscribeOptions, output_in, progress_bar, transcribe_file

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Speech to text and back, over a network that breaks.",
    epilog="Exit codes: 0 done, 1 the service or the network failed, or a recording is damaged, 2 wrong use, "
    "3 done with gaps, 130 interrupted. Of several recordings, the lowest code but 0 counts.",
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
Raw = Annotated[
    int | None, typer.Option(metavar="RATE", help="The input is 16-bit PCM without a header, of this sample rate.")
]


@app.command()
def transcribe(
    files: Annotated[
        list[str],
        typer.Argument(help="Recordings (WAV, FLAC, Ogg, MP3, m4a and more) or folders; - reads standard input."),
    ],
    *,
    backend: Backend = "local",
    model: Model = None,
    language: Language = None,
    format: Annotated[FormatName, typer.Option(help="How to write a single recording.")] = "text",
    raw: Raw = None,
    jobs: Annotated[int, typer.Option(min=1, help="How many recordings to recognize at a time.")] = 4,
    jsonl: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write one line of JSON a recording; - is standard output."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with --jsonl FILE: skip what is done in it.")] = False,
) -> None:
    """Recognize the speech in recordings."""
    with exit_codes(), network_news():
        chosen = BACKENDS[backend]()
        raw_format = ts.AudioFormat.pcm16(raw) if raw is not None else None
        asked = TranscribeOptions(model, language, raw_format, sample_rate_for([chosen], model))
        names = recordings_in(files)
        if jsonl is None and not resume and names == files and len(names) == 1:
            gaps = trio.run(_transcribe_one, chosen, files[0], asked, format)
            codes = set[int]()
        else:
            with results_in(jsonl, resume=resume) as lines:
                codes = trio.run(transcribe_all, chosen, names, asked, lines, jobs)
            gaps = ()
    report_gaps(gaps)
    if codes:
        raise typer.Exit(min(codes))


async def _transcribe_one(
    backend: ts.Backend, name: str, asked: TranscribeOptions, format: FormatName
) -> tuple[ts.Gap, ...]:
    stream = opened(sys.stdout)
    # Where the results go to the same terminal, they show the progress themselves.
    watched = messages.is_terminal and not stream.isatty()
    async with ts.open_client(backend) as client:
        with progress_bar(shown=watched) as watch:
            output = output_in(format, stream)
            recognition, seconds = await transcribe_file(client, source_of(name), asked, output, watch)
    if not recognition.text and not recognition.gaps:
        messages.print(f"no speech was recognized in {seconds:.1f} s of audio", style="yellow")
    return recognition.gaps


@app.command()
def bulk(
    sources: Annotated[
        list[str], typer.Argument(help="Recordings, folders, wildcards, or URLs such as s3://bucket/calls/*.flac.")
    ],
    *,
    out: Annotated[str, typer.Option(metavar="RESULTS", help="The folder of the results; what it holds is kept.")],
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask scheduler, as tcp://HOST:PORT.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes on this machine, without --scheduler; by default, one a core.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="How many recordings each of these recognizes at a time.")] = 8,
    backend: Backend = "local",
    model: Model = None,
    language: Language = None,
    raw: Raw = None,
    streams: Annotated[int | None, typer.Option(min=1, help="Sessions at once at most, over all workers.")] = None,
    dials: Annotated[int | None, typer.Option(min=1, help="Connections a second at most, over all workers.")] = None,
    speed: Annotated[float | None, typer.Option(help="How fast each session sends, in multiples of real time.")] = None,
    tries: Annotated[int, typer.Option(min=1, help="How often a recording is tried before it is set aside.")] = 3,
) -> None:
    """Recognize an archive, on a Dask cluster or on the cores of this machine. Run it again to go on."""
    with exit_codes(), network_news():
        if scheduler is not None and workers is not None:
            raise ts.ConfigurationError("--workers starts a cluster on this machine: give it or --scheduler, not both")
        with archive_progress() as progress:
            summary = transcribe_archive(
                sources,
                BACKENDS[backend](),
                out=out,
                client=scheduler,
                workers=workers,
                at_once=jobs,
                model=model,
                language=language,
                raw=ts.AudioFormat.pcm16(raw) if raw is not None else None,
                limits=EndpointLimits(streams=streams, dials_per_second=dials, speed=speed),
                tries=tries,
                progress=progress,
            )
    messages.print(summary_text(summary), soft_wrap=True)
    if summary.failed or summary.gaps:
        raise typer.Exit(FAILED if summary.failed else INCOMPLETE)


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
    from .oneshot import render

    with exit_codes(), network_news():
        check_output(output)
        words = read_text() if text == STANDARD else text
        if not words.strip():
            raise ts.ConfigurationError("there is no text to speak")
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
    from .server import parse_keys, serve_tcp

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
    from .chaos import load_plan, parse_address, relay

    with exit_codes():
        trio.run(relay, parse_address(listen), None if upstream is None else parse_address(upstream), load_plan(plan))


@app.command()
def demo() -> None:
    """Speak, listen, have the connection cut half way, and show that no word was lost."""
    from .demo import demonstrate

    with exit_codes():
        trio.run(demonstrate, results)


@app.command()
def doctor(*, backend: Backend = "local") -> None:
    """Report what is installed and which services answer. Shows no credentials."""
    from .doctor import diagnose

    with exit_codes():
        diagnosis = trio.run(diagnose, results, backend)
    if diagnosis.trouble is not None:
        raise typer.Exit(code_of(diagnosis.trouble))
