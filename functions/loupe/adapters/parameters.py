"""Parameter Store: the operator's settings."""

from typing import Any

from loupe.settings import CATALOGUE, Settings

NAMES_PER_CALL = 10


class Parameters:
    """Settings under `/<stack>/`. `client` is `boto3.client("ssm")`."""

    def __init__(self, client: Any, stack: str) -> None:
        self._client = client
        self._prefix = f"/{stack}/"

    def values(self) -> dict[str, str]:
        """`{name: value}` of every setting that exists."""
        names = [self._prefix + setting.name for setting in CATALOGUE]
        found: dict[str, str] = {}
        for start in range(0, len(names), NAMES_PER_CALL):
            page = self._client.get_parameters(Names=names[start : start + NAMES_PER_CALL])
            for parameter in page["Parameters"]:
                found[parameter["Name"].removeprefix(self._prefix)] = parameter["Value"]
        return found

    def settings(self) -> Settings:
        """The settings as they are now."""
        return Settings.from_parameters(self.values())

    def set(self, name: str, value: str) -> None:
        """Set one setting. Its pattern is enforced by Parameter Store."""
        self._client.put_parameter(Name=self._prefix + name, Value=value, Overwrite=True)
