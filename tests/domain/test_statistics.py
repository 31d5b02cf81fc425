"""Business rule: what happened is counted once, by kind."""

from datetime import UTC, datetime

from loupe.domain.events import Event
from loupe.domain.statistics import COUNTS, tally

AT = datetime(2026, 1, 1, tzinfo=UTC).isoformat()


def happened(kind: str, **detail: str) -> Event:
    return Event("id", kind, AT, "", "", detail)


def test_every_outcome_of_an_image_is_counted_under_its_own_name() -> None:
    events = [happened("ImageAccepted"), happened("ImageAccepted"), happened("ImageFailed")]

    assert tally(events) == {"accepted": 2, "failed": 1}


def test_a_quality_sample_counts_and_agreement_beside_it() -> None:
    right = happened("QualityScored", guess="cat", answer="cat")
    wrong = happened("QualityScored", guess="cat", answer="dog")

    assert tally([right, wrong]) == {"samples": 2, "agreed": 1}


def test_other_events_count_nothing() -> None:
    assert tally([happened("SettingsApplied")]) == {}


def test_every_count_has_a_name_of_its_own() -> None:
    assert len(set(COUNTS)) == len(COUNTS)
