"""Each recording comes to an end exactly once, whatever becomes of those that work on it."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from trio_speech.bulk.work_queue import WorkQueue


def taken(queue: WorkQueue, now: float = 0.0) -> list[str]:
    names = list[str]()
    while (file := queue.take(now)) is not None:
        names.append(file.file)
    return names


def test_recordings_are_taken_in_order_and_once() -> None:
    queue = WorkQueue(["a", "b"], tries=3)
    assert taken(queue) == ["a", "b"]
    queue.settle("a")
    assert not queue.is_empty
    queue.settle("b")
    assert queue.is_empty


def test_a_failure_waits_twice_as_long_each_time_and_the_last_is_set_aside() -> None:
    queue = WorkQueue(["a"], tries=3)
    assert taken(queue, 0.0) == ["a"]
    assert not queue.fail("a", 0.0)
    assert (taken(queue, 0.9), taken(queue, 1.0)) == ([], ["a"])
    assert not queue.fail("a", 10.0)
    assert (taken(queue, 11.9), taken(queue, 12.0)) == ([], ["a"])
    assert queue.fail("a", 12.0)
    assert queue.is_empty


def test_a_broken_cluster_costs_no_try() -> None:
    queue = WorkQueue(["a", "b"], tries=1)
    for _ in range(5):
        assert sorted(taken(queue)) == ["a", "b"]
        queue.put_all_back()
    taken(queue)
    assert queue.fail("a", 0.0)


def test_what_kills_workers_is_tried_alone_and_last() -> None:
    queue = WorkQueue(["poison", "neighbor", "c"], tries=3)
    assert taken(queue) == ["poison", "neighbor", "c"]
    assert not queue.killed("poison")
    assert not queue.killed("neighbor")
    assert taken(queue) == []  # c is still at work
    queue.settle("c")
    assert taken(queue) == ["poison"]
    assert queue.killed("poison")
    assert taken(queue) == ["neighbor"]
    queue.settle("neighbor")
    assert queue.is_empty


def test_a_suspect_stays_one_when_the_cluster_breaks() -> None:
    queue = WorkQueue(["poison", "b"], tries=3)
    taken(queue)
    queue.killed("poison")
    queue.settle("b")
    assert taken(queue) == ["poison"]
    queue.put_all_back()
    assert taken(queue) == ["poison"]
    assert queue.killed("poison")


@given(st.data())
def test_whatever_happens_each_ends_exactly_once(data: st.DataObject) -> None:
    names = [f"file{number}" for number in range(data.draw(st.integers(0, 6)))]
    queue, ended, now = WorkQueue(names, tries=2), Counter[str](), 0.0
    for _ in range(200):
        if queue.is_empty:
            break
        now += 1.0
        taken(queue, now)
        if not queue.in_flight:
            continue
        name = data.draw(st.sampled_from(sorted(queue.in_flight)))
        match data.draw(st.sampled_from(["settle", "settle", "fail", "killed", "break"])):
            case "settle":
                queue.settle(name)
                ended[name] += 1
            case "fail":
                ended[name] += queue.fail(name, now)
            case "killed":
                ended[name] += queue.killed(name)
            case _:
                queue.put_all_back()
        assert len([file for file in queue.in_flight.values() if file.is_suspect]) <= 1
    else:
        return  # the cluster broke all the time
    assert +ended == Counter(names)
