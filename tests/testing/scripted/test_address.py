"""Addresses of scripted gateways: no two that are open have the same."""

from __future__ import annotations

from trio_speech.testing import open_gateway
from trio_speech.testing.scripted.address import own_address


def test_each_has_one_of_its_own_and_gives_it_back() -> None:
    with own_address() as first:
        with own_address() as second, own_address() as third:
            assert (first, second, third) == (
                "ws://gateway.test/v1",
                "ws://gateway-2.test/v1",
                "ws://gateway-3.test/v1",
            )
        with own_address() as again:
            assert again == second


async def test_two_gateways_are_two_endpoints() -> None:
    async with open_gateway() as one, open_gateway() as other:
        assert repr(one.backend()) != repr(other.backend())
