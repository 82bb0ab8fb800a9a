from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trio_speech._core.provider.requests import Change
from trio_speech._core.recognition.queued_commands import QueuedCommand, QueuedCommands

LANGUAGE, KEYTERMS = Change(language="de"), Change(keyterms=("trio",))


def test_a_mark_is_due_when_all_before_it_has_been_sent_and_frames_are_cut_there() -> None:
    marks = QueuedCommands()
    assert (marks.due(0, speaking=False), marks.next_stop(0)) == (None, None)
    marks.finalize(100)
    marks.change(200, LANGUAGE)
    assert (marks.due(99, speaking=False), marks.next_stop(99)) == (None, 100)
    assert [marks.next_stop(sent) for sent in (100, 199, 200)] == [200, 200, None]
    assert marks.due(100, speaking=False) == QueuedCommand(100)
    assert marks.due(250, speaking=False) == QueuedCommand(200, LANGUAGE)
    assert (len(marks.waiting), marks.next_stop(0)) == (0, None)


def test_finalize_is_said_once_for_one_place() -> None:
    marks = QueuedCommands()
    marks.finalize(100)
    marks.change(100, LANGUAGE)
    marks.finalize(100)
    assert [marks.due(100, speaking=False) for _ in range(3)] == [
        QueuedCommand(100),
        QueuedCommand(100, LANGUAGE),
        None,
    ]
    marks.finalize(100)
    assert marks.due(100, speaking=False) == QueuedCommand(100)


def test_keyterms_wait_for_the_end_of_speech_but_hold_nothing_up() -> None:
    marks = QueuedCommands()
    marks.change(0, LANGUAGE)
    marks.change(0, KEYTERMS)
    assert marks.due(0, speaking=True) == QueuedCommand(0, LANGUAGE)
    assert marks.due(0, speaking=True) is None
    assert marks.due(0, speaking=False) == QueuedCommand(0, KEYTERMS)
    marks.change(0, KEYTERMS)
    marks.finalize(0)
    assert marks.due(0, speaking=True) == QueuedCommand(0, KEYTERMS)


def test_what_a_link_did_not_live_to_answer_is_asked_of_the_next() -> None:
    marks = QueuedCommands()
    marks.finalize(300)
    marks.finalize(400)
    marks.link_lost([50, 100, 200, 300], committed=50)
    assert [marks.due(400, speaking=False) for _ in range(4)] == [
        QueuedCommand(100),
        QueuedCommand(200),
        QueuedCommand(300),
        QueuedCommand(400),
    ]


def test_a_new_link_opens_with_the_changes_and_is_asked_for_what_it_will_hear() -> None:
    marks = QueuedCommands()
    marks.finalize(100)
    marks.change(150, LANGUAGE)
    marks.finalize(200)
    marks.resume(100, None)
    assert (len(marks.waiting), marks.next_stop(0)) == (1, 200)
    marks.resume(100, 300)
    marks.resume(100, 300)
    assert [marks.due(300, speaking=False) for _ in range(3)] == [QueuedCommand(200), QueuedCommand(300), None]


steps = st.lists(st.tuples(st.sampled_from(["finalize", "change", "send", "lose"]), st.integers(0, 50)), max_size=60)


@given(steps)
def test_marks_come_in_order_and_none_is_passed_over(history: list[tuple[str, int]]) -> None:
    marks, captured, sent, unanswered = QueuedCommands(), 0, 0, []
    for kind, samples in history:
        match kind:
            case "finalize":
                captured += samples
                marks.finalize(captured)
            case "change":
                captured += samples
                marks.change(captured, LANGUAGE)
            case "send":
                stop = marks.next_stop(sent)
                assert stop is None or sent < stop <= captured
                sent = min(sent + samples, captured if stop is None else stop)
                while (mark := marks.due(sent, speaking=False)) is not None:
                    assert mark.at == sent
                    unanswered += [mark.at] if mark.change is None else []
            case _:
                marks.link_lost(unanswered, committed=0)
                marks.resume(0, None)
                sent, unanswered = 0, []
