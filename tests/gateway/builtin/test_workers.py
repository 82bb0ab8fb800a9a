"""Worker processes that are really started: the recognizer's, on the real clock."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import trio

from trio_speech.gateway import Busy, Declined, EngineFailed, RecognitionOptions
from trio_speech.gateway.builtin import messages, workers
from trio_speech.gateway.builtin.messages import AudioRequest, FinalizeRequest, ResultsReply, StartRequest
from trio_speech.gateway.builtin.workers import Worker, Workers, open_workers, start_worker

pytest.importorskip("pocketsphinx", reason="it has no wheel for this Python")

OPTIONS = RecognitionOptions(sample_rate=16_000)


@pytest.fixture
async def pool() -> AsyncGenerator[Workers, None]:
    async with open_workers("pocketsphinx", limit=2, warm=1) as pool:
        yield pool


def gone(worker: Worker) -> bool:
    return worker.process.returncode is not None


async def test_a_worker_is_reused(pool: Workers) -> None:
    async with pool.lease(patient=False) as first:
        assert await first.ask(StartRequest(OPTIONS)) == ResultsReply()
        await first.ask(AudioRequest(bytes(16_000)))
    async with pool.lease(patient=False) as second:
        assert second is first
        assert await second.ask(StartRequest(OPTIONS)) == ResultsReply()


async def test_a_worker_serves_on_after_a_declined_request(pool: Workers) -> None:
    async with pool.lease(patient=False) as worker:
        with pytest.raises(Declined, match="English"):
            await worker.ask(StartRequest(RecognitionOptions(sample_rate=16_000, language="fr")))
        with pytest.raises(Declined, match="FinalizeRequest was not expected"):
            await worker.ask(FinalizeRequest())
        with pytest.raises(Declined, match="cannot be sent"):
            await worker.ask(StartRequest(RecognitionOptions(sample_rate=10**30)))
        deep: Any = 1
        for _ in range(100_000):
            deep = [deep]
        with pytest.raises(Declined, match="cannot be sent"):
            await worker.ask(StartRequest(RecognitionOptions(sample_rate=16_000, options={"deep": deep})))
        assert await worker.ask(StartRequest(OPTIONS)) == ResultsReply()


async def test_at_capacity_it_refuses_or_waits(pool: Workers) -> None:
    async with pool.lease(patient=False) as first:
        async with pool.lease(patient=False):
            with pytest.raises(Busy, match="all 2"):
                async with pool.lease(patient=False):
                    raise AssertionError
            with trio.move_on_after(0.01) as waited:
                async with pool.lease(patient=True):
                    raise AssertionError
            assert waited.cancelled_caught
        async with pool.lease(patient=True) as third:
            assert third is not first


async def test_idle_workers_beyond_the_warm_ones_are_ended(pool: Workers) -> None:
    async with pool.lease(patient=False) as first, pool.lease(patient=False) as second:
        pass
    with trio.fail_after(5):
        await trio.to_thread.run_sync(lambda: None)
        await first.process.wait()
    assert gone(first)
    assert not gone(second)


async def test_a_crash_costs_the_lease_that_met_it_alone(pool: Workers) -> None:
    async with pool.lease(patient=False) as other:
        await other.ask(StartRequest(OPTIONS))
        async with pool.lease(patient=False) as worker:
            os.kill(worker.process.pid, signal.SIGKILL)
            await worker.process.wait()
            with pytest.raises(EngineFailed, match="ended with status -9"):
                await worker.ask(StartRequest(OPTIONS))
        assert await other.ask(AudioRequest(bytes(3_200))) == ResultsReply()
        async with pool.lease(patient=True) as fresh:
            assert await fresh.ask(StartRequest(OPTIONS)) == ResultsReply()


async def test_a_worker_that_died_while_idle_is_replaced(pool: Workers) -> None:
    async with pool.lease(patient=False) as worker:
        pass
    os.kill(worker.process.pid, signal.SIGKILL)
    await worker.process.wait()
    async with pool.lease(patient=False) as fresh:
        assert fresh is not worker
        assert await fresh.ask(StartRequest(OPTIONS)) == ResultsReply()


async def test_a_cancelled_request_leaves_nothing_for_the_next_lease(pool: Workers) -> None:
    async with pool.lease(patient=False) as first:
        await first.ask(StartRequest(OPTIONS))
        with trio.CancelScope() as scope:
            scope.cancel()
            await first.ask(AudioRequest(bytes(64_000)))
    async with pool.lease(patient=False):
        pass
    async with pool.lease(patient=False) as worker:
        assert await worker.ask(StartRequest(OPTIONS)) == ResultsReply()
        assert await worker.ask(FinalizeRequest()) == ResultsReply((messages.Result.__args__[-1](0),))


async def test_recover_reads_the_reply_of_a_cancelled_request() -> None:
    worker = await start_worker("pocketsphinx")
    try:
        await worker.ask(StartRequest(OPTIONS))
        os.kill(worker.process.pid, signal.SIGSTOP)
        with trio.move_on_after(0.05):
            await worker.ask(FinalizeRequest())
        os.kill(worker.process.pid, signal.SIGCONT)
        assert not worker.at_rest
        assert await worker.recover()
        assert await worker.ask(StartRequest(OPTIONS)) == ResultsReply()
    finally:
        await worker.stop()


async def test_a_worker_that_hangs_fails_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_REPLY_TIMEOUT", 0.1)
    worker = await start_worker("pocketsphinx")
    try:
        os.kill(worker.process.pid, signal.SIGSTOP)
        with pytest.raises(EngineFailed, match="did not answer"):
            await worker.ask(StartRequest(OPTIONS))
    finally:
        with trio.fail_after(3):
            await worker.stop()
    assert worker.process.returncode == -signal.SIGKILL


async def test_a_worker_that_cannot_start_raises_engine_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineFailed, match="ended with status 1"):
        await start_worker("parrot")
    monkeypatch.setattr(workers, "_START_TIMEOUT", 0.001)
    with pytest.raises(EngineFailed, match="did not start"):
        await start_worker("pocketsphinx")


async def test_no_process_outlives_the_pool() -> None:
    async with open_workers("pocketsphinx", limit=2, warm=1) as pool:
        async with pool.lease(patient=False) as idle:
            pass
        with trio.CancelScope() as scope:
            async with pool.lease(patient=False) as cancelled:
                scope.cancel()
                await cancelled.ask(StartRequest(OPTIONS))
    assert gone(idle)
    assert gone(cancelled)


async def test_a_worker_ends_with_its_input_and_not_by_ctrl_c() -> None:
    worker = await start_worker("pocketsphinx")
    assert os.getpgid(worker.process.pid) != os.getpgrp()
    os.kill(worker.process.pid, signal.SIGINT)
    assert await worker.ask(StartRequest(OPTIONS)) == ResultsReply()
    stdin: Any = worker.process.stdin
    await stdin.aclose()
    with trio.fail_after(5):
        assert await worker.process.wait() == 0
    await worker.stop()


@pytest.mark.parametrize("frame", ["x" * 9, "\0\0\0\4xxxx"], ids=["absurd length", "no msgpack"])
async def test_a_malformed_reply_fails_the_lease_and_ends_the_worker(frame: str) -> None:
    process = await trio.lowlevel.open_process(
        [sys.executable, "-c", f"print({frame!r}, flush=True); input()"], stdin=-1, stdout=-1
    )
    worker = Worker(process)
    with pytest.raises(EngineFailed, match="malformed reply"):
        await worker.reply()
    assert not await worker.recover()
    await worker.stop()
