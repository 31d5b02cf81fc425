"""Business rule: a copy has the metadata that it is given and nothing else of its source."""

from tests.adapters.world import BUCKET, World, png


def test_a_copy_takes_no_tags_along(world: World) -> None:
    key, copied = "images_for_detection/a.png", "images_labeled_by_folder/cat/a.png"
    image = world.put(key, png(1), colour="red")
    world.s3.put_object_tagging(
        Bucket=BUCKET, Key=key, Tagging={"TagSet": [{"Key": "team", "Value": "blue"}]}
    )

    world.deps.objects.copy(image, copied, {"loupe-by": "ann"})

    assert world.s3.get_object_tagging(Bucket=BUCKET, Key=copied)["TagSet"] == []
    assert world.s3.head_object(Bucket=BUCKET, Key=copied)["Metadata"] == {"loupe-by": "ann"}
