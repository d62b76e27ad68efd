"""The two tables of telephone audio."""

import numpy as np
import pytest
from cortex_transcriber.speech.decoding import Pcm
from cortex_transcriber.speech.frames import Encoding
from cortex_transcriber.speech.g711 import ALAW, MULAW

from services.transcriber.tests.formats import through_av

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (0b1000_0000, 8_031),
        (0b1000_1111, 4_191),
        (0b1001_1111, 2_079),
        (0b1010_1111, 1_023),
        (0b1011_1111, 495),
        (0b1100_1111, 231),
        (0b1101_1111, 99),
        (0b1110_1111, 33),
        (0b1111_1110, 2),
        (0b1111_1111, 0),
        (0b0111_1111, 0),
        (0b0111_1110, -2),
        (0b0000_0000, -8_031),
    ],
)
def test_mu_law_is_as_the_standard_says(code: int, value: int) -> None:
    """Tables 2a and 2b of G.711: the decoder's output values, of 14 bits, at the ends of the segments."""
    assert MULAW[code] == value * 4


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (0b1111_1111, 4_032),
        (0b1111_0000, 2_112),
        (0b1110_0000, 1_056),
        (0b1101_0000, 528),
        (0b1100_0000, 264),
        (0b1011_0000, 132),
        (0b1010_0000, 66),
        (0b1000_0000, 1),
        (0b0000_0000, -1),
        (0b0111_1111, -4_032),
    ],
)
def test_a_law_is_as_the_standard_says(code: int, value: int) -> None:
    """Tables 1a and 1b of G.711, before the even bits are inverted: output values, of 13 bits."""
    assert ALAW[code ^ 0x55] == value * 8


@pytest.mark.parametrize(("encoding", "table"), [(Encoding.MULAW, MULAW), (Encoding.ALAW, ALAW)])
def test_every_code_is_what_another_decoder_says(encoding: Encoding, table: Pcm) -> None:
    """All 256 of them."""
    assert np.array_equal(table, through_av(bytes(range(256)), encoding))
