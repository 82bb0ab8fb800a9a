"""A limit over a whole cluster is never exceeded, and nobody waits for what is free."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trio_speech.bulk.leases import Lease, LeaseTable


def tickets(leases: list[Lease]) -> list[str]:
    return [lease.ticket for lease in leases]


def test_leases_begin_in_the_order_of_their_requests() -> None:
    table = LeaseTable()
    assert tickets(table.request(Lease("s", "1", "x"), 1)) == ["1"]
    assert table.request(Lease("s", "2", "y"), 1) == []
    assert table.request(Lease("s", "3", "x"), 1) == []
    assert tickets(table.give_back("s", "1")) == ["2"]
    assert tickets(table.give_back("s", "2")) == ["3"]


def test_names_do_not_share_a_limit() -> None:
    table = LeaseTable()
    assert tickets(table.request(Lease("s", "1", "x"), 1)) == ["1"]
    assert tickets(table.request(Lease("t", "2", "x"), 1)) == ["2"]


def test_a_request_can_be_taken_back() -> None:
    table = LeaseTable()
    table.request(Lease("s", "1", "x"), 1)
    table.request(Lease("s", "2", "y"), 1)
    table.request(Lease("s", "3", "z"), 1)
    assert table.give_back("s", "2") == []
    assert tickets(table.give_back("s", "1")) == ["3"]
    assert table.give_back("s", "unknown") == []
    assert table.give_back("unknown", "1") == []


def test_a_dead_holder_asks_no_more_and_holds_until_told() -> None:
    table = LeaseTable()
    table.request(Lease("s", "1", "dead"), 1)
    table.request(Lease("s", "2", "dead"), 1)
    table.request(Lease("s", "3", "alive"), 1)
    table.withdraw("dead")
    assert tickets(table.held_by("dead")) == ["1"]
    assert tickets(table.give_back("s", "1")) == ["3"]


@given(st.lists(st.tuples(st.sampled_from(["request", "give back", "die"]), st.integers(0, 3)), max_size=60))
def test_never_too_many_and_never_a_free_one_waited_for(steps: list[tuple[str, int]]) -> None:
    table, held, waiting = LeaseTable(), dict[str, str](), dict[str, str]()
    for number, (step, who) in enumerate(steps):
        begun, holder = list[Lease](), f"worker{who}"
        if step == "request":
            waiting[str(number)] = holder
            begun = table.request(Lease("s", str(number), holder), 2)
        elif step == "give back" and held:
            ticket = sorted(held)[who % len(held)]
            del held[ticket]
            begun = table.give_back("s", ticket)
        elif step == "die":
            table.withdraw(holder)
            waiting = {ticket: each for ticket, each in waiting.items() if each != holder}
            for lease in table.held_by(holder):
                del held[lease.ticket]
                begun += table.give_back(lease.name, lease.ticket)
        for lease in begun:
            held[lease.ticket] = waiting.pop(lease.ticket)
        assert len(held) <= 2
        assert not waiting or len(held) == 2
