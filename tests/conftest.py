"""What all tests share: property tests run the same examples every time, without a deadline."""

from hypothesis import settings

settings.register_profile("loupe", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("loupe")
