"""A position is exact, and a token that nobody made is refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.live.cursor import BadTokenError, Position, Token

IDENTITIES = st.text("0123456789abcdef", min_size=8, max_size=8)


@st.composite
def positions(draw: st.DrawFn) -> Position:
    xmin = draw(st.integers(1, 2**40))
    xmax = xmin + draw(st.integers(0, 50))
    running = draw(st.sets(st.integers(xmin, max(xmin, xmax - 1)), max_size=5)) if xmax > xmin else set()
    return Position(draw(IDENTITIES), xmin, xmax, tuple(sorted(running)))


@given(st.lists(positions(), min_size=1, max_size=2))
def test_a_token_is_read_as_it_was_written(given: list[Position]) -> None:
    token = Token(tuple(given))
    assert Token.read(str(token)) == token


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(BadTokenError):
        assert str(Token.read(text)).count(".") >= 3


@pytest.mark.parametrize(
    "text",
    [
        "", "~", "0011aaff", "0011aaff.5.4.", "0011aaff.0.4.", "0011aaff.3.4.9", "0011aaff.3.9.5,4", "0011aaff.3.9.4,4",
        "0011aaff.3.9.2", "0011aaff.3.9.4,", "0011AAFF.3.9.", "0011aaff.٣.9.", "0011aaff.3.99999999999999999999.",
        "0011aaff.3.9." + ",".join(["4"] * 5000), "' OR 1=1 --",
    ],
)  # fmt: skip
def test_what_no_answer_gave_is_refused(text: str) -> None:
    with pytest.raises(BadTokenError):
        Token.read(text)


def test_what_a_position_sees() -> None:
    position = Position("0011aaff", 10, 15, (10, 12))
    assert [xid for xid in range(8, 17) if position.sees(xid)] == [8, 9, 11, 13, 14]
    assert position.snapshot == "10:15:10,12"
    assert Position.of("0011aaff", "10:15:10,12") == position
    assert Position.of("0011aaff", "10:10:") == Position("0011aaff", 10, 10)
