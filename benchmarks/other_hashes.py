"""How pHash and PDQ do on the pictures and edits of `near_duplicates.py`.

    python -m venv build/hashes
    build/hashes/bin/pip install ImageHash pdqhash -r requirements.txt
    PYTHONPATH=functions build/hashes/bin/python -m benchmarks.other_hashes

Prints the table in docs/decisions.md. Distances are the usual ones: up to 10 of pHash's 64 bits, up
to 31 of PDQ's 256.
"""

from collections.abc import Callable
from io import BytesIO
from itertools import combinations
from typing import Any

import imagehash
import numpy as np
import pdqhash
from PIL import Image

from benchmarks.near_duplicates import EDITS, Picture, digits, logos, photos, png, screens, shapes

Bits = Any
KINDS = {"photos": photos, "digits": digits, "shapes": shapes, "logos": logos, "screens": screens}


def phash(image: Picture) -> Bits:
    return imagehash.phash(image).hash.flatten()


def pdq(image: Picture) -> Bits:
    bits, _quality = pdqhash.compute(np.asarray(image.convert("RGB")))
    return np.asarray(bits, dtype=bool)


def measure(name: str, hashed: Callable[[Picture], Bits], most: int) -> None:
    """Print the share of copies and the pairs of different pictures within `most` bits."""
    for kind, make in KINDS.items():
        images = make()
        originals = [hashed(Image.open(BytesIO(png(image)))) for image in images]
        copies = [
            int((hashed(Image.open(BytesIO(apply(image)))) != original).sum()) <= most
            for apply in EDITS.values()
            for image, original in zip(images, originals, strict=True)
        ]
        pairs = [int((a != b).sum()) <= most for a, b in combinations(originals, 2)]
        share = 100 * sum(copies) / len(copies)
        print(f"{name} {kind}: {share:.1f} % of copies, {sum(pairs)} of {len(pairs)} different")


if __name__ == "__main__":
    measure("pHash", phash, 10)
    measure("PDQ", pdq, 31)
