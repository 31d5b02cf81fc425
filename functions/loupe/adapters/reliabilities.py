"""How often people, and versions of the model, were right about images of each label."""

from collections.abc import Iterable, Sequence

from loupe.adapters.items import from_item
from loupe.adapters.table import Item, TableAdapter, update
from loupe.domain.certainty import Judgement, Reliabilities, Reliability


class ReliabilityCounts(TableAdapter):
    """One item for each person, or version, and label."""

    def of(self, names: Iterable[str]) -> Reliabilities:
        """The counts of each of `names`, by label."""
        return {
            name: {
                item["sk"]: from_item(Reliability, item)
                for item in self._table.children(_partition(name))
            }
            for name in names
        }


def judged(judgements: Sequence[Judgement]) -> list[Item]:
    """Writes that count who was right."""
    return [
        update(
            _partition(judgement.name),
            judgement.label,
            "ADD answers :one, #right :right",
            {"one": 1, "right": int(judgement.right)},
        )
        for judgement in judgements
    ]


def _partition(name: str) -> str:
    return f"RELIABILITY#{name}"
