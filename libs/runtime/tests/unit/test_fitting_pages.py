import pytest
from cortex_runtime.fitting import LARGEST_PAGE, fitted
from google.protobuf.wrappers_pb2 import BytesValue

pytestmark = pytest.mark.unit


def half_a_page(row: int) -> BytesValue:
    return BytesValue(value=bytes([row]) * (LARGEST_PAGE // 2 - 100))


def small(row: int) -> BytesValue:
    return BytesValue(value=bytes([row]))


@pytest.mark.parametrize(
    ("found", "size", "shown", "last_row"),
    [(0, 2, 0, None), (1, 2, 1, None), (2, 2, 2, None), (3, 2, 2, 1)],
)
def test_a_page_has_at_most_its_size(found: int, size: int, shown: int, last_row: int | None) -> None:
    """The row that was found beyond the size says only that there is a next page."""
    page = fitted(list(range(found)), size, small)
    assert (len(page.items), page.last_row) == (shown, last_row)


def test_a_page_that_grows_too_large_is_cut() -> None:
    """Two halves fit; the third begins the next page."""
    page = fitted([0, 1, 2, 3], 4, half_a_page)
    assert (len(page.items), page.last_row) == (2, 1)


def test_a_page_that_just_fits_is_the_last() -> None:
    """Nothing is announced that does not come."""
    page = fitted([0, 1], 4, half_a_page)
    assert (len(page.items), page.last_row) == (2, None)


def test_an_item_that_is_too_large_comes_alone() -> None:
    """Otherwise nobody would ever get past it."""
    page = fitted([0, 1], 4, lambda row: BytesValue(value=bytes([row]) * (LARGEST_PAGE + 1)))
    assert (len(page.items), page.last_row) == (1, 0)
