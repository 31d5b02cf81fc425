"""Business rule: every n-th detection is sampled, however the detections are cut into runs."""

from hypothesis import given
from hypothesis import strategies as st

from loupe.domain.sampling import every_nth


def run(chunks: list[int], intervals: list[int]) -> list[int]:
    """The numbers (from 1) of the detections that are sampled, one run a chunk."""
    sampled: list[int] = []
    carried, seen = 0, 0
    for size, interval in zip(chunks, intervals, strict=True):
        items = list(range(seen + 1, seen + size + 1))
        chosen, carried = every_nth(items, interval, carried)
        sampled += chosen
        seen += size
    return sampled


@given(st.lists(st.integers(0, 25), max_size=20), st.integers(1, 12))
def test_the_interval_holds_over_runs_of_any_size(chunks: list[int], interval: int) -> None:
    sampled = run(chunks, [interval] * len(chunks))

    assert sampled == list(range(interval, sum(chunks) + 1, interval))


def test_an_interval_of_one_samples_everything() -> None:
    assert every_nth(["a", "b"], 1, 0) == (["a", "b"], 0)


def test_fewer_detections_than_the_interval_are_carried_on() -> None:
    assert every_nth(["a", "b"], 5, 2) == ([], 4)
    assert every_nth(["c"], 5, 4) == (["c"], 0)


@given(st.lists(st.tuples(st.integers(0, 25), st.integers(1, 12)), max_size=20))
def test_a_changed_interval_never_leaves_a_longer_gap_than_the_longest_of_them(
    runs: list[tuple[int, int]],
) -> None:
    sampled = run([size for size, _ in runs], [interval for _, interval in runs])

    longest = max((interval for _, interval in runs), default=1)
    gaps = [b - a for a, b in zip([0, *sampled], sampled, strict=False)]
    assert all(0 < gap <= longest for gap in gaps)


def test_a_shortened_interval_samples_at_once_and_then_keeps_to_it() -> None:
    chosen, carried = every_nth(list(range(25)), 10, carried=500)

    assert chosen == [0, 10, 20]
    assert carried == 4
