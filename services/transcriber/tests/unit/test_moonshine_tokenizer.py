import pytest
from cortex_transcriber.adapters.moonshine_tokenizer import Tokenizer
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.unit

SPECIAL = [b"<unk>", b"<s>", b"</s>"]


def encoded(pieces: list[bytes]) -> bytes:
    """The file format, written by its description."""
    lengths = [bytes([n]) if (n := len(piece)) < 128 else bytes([n % 128 + 128, n // 128]) for piece in pieces]
    return b"".join(length + piece for length, piece in zip(lengths, pieces, strict=True))


@given(st.lists(st.binary(max_size=300)))
def test_every_vocabulary_is_read_as_it_was_written(pieces: list[bytes]) -> None:
    """Short, long and unused ids keep their numbers."""
    assert Tokenizer.parse(encoded(pieces)).pieces == pieces


def test_spaces_and_characters_across_tokens_are_joined() -> None:
    """Letters outside ASCII may be spread over several tokens."""
    tokenizer = Tokenizer([*SPECIAL, "▁the".encode(), "▁caf".encode(), b"\xc3", b"\xa9"])
    assert tokenizer.text([1, 3, 4, 5, 6, 2]) == "the café"


@pytest.mark.parametrize("data", [b"\x05ab", b"\x81"])
def test_a_cut_file_is_refused(data: bytes) -> None:
    """Half a token or half a length is damage, not a shorter vocabulary."""
    with pytest.raises(ValueError, match="ends in the middle"):
        Tokenizer.parse(data)
