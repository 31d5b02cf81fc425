"""Amazon SageMaker: the private workforce of a Region, and its work team."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loupe.faults import ignoring

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import CognitoMemberDefinitionTypeDef

POLL_SECONDS = 5
CHANGING = ("Initializing", "Updating")
MISSING = ("ResourceNotFound", "ValidationException")


@dataclass(frozen=True)
class Team:
    """A work team: its ARN and the address of its portal."""

    arn: str
    portal: str


class Workforce:
    """`client` is `boto3.client("sagemaker")`."""

    def __init__(self, client: "SageMakerClient") -> None:
        self._client = client

    def names(self) -> list[str]:
        """The Region's private workforces; there can be only one."""
        workforces = self._client.list_workforces()["Workforces"]
        return [workforce["WorkforceName"] for workforce in workforces]

    def team(self, name: str) -> Team:
        """The work team `name`."""
        team = self._client.describe_workteam(WorkteamName=name)["Workteam"]
        return Team(team["WorkteamArn"], f"https://{team.get('SubDomain', '')}")

    def create(self, name: str, user_pool: str, client_id: str) -> None:
        """Begin to create a workforce."""
        self._client.create_workforce(
            WorkforceName=name, CognitoConfig={"UserPool": user_pool, "ClientId": client_id}
        )

    def create_team(self, name: str, user_pool: str, client_id: str, group: str) -> None:
        """Create the team of a workforce, once that is ready: the members of a Cognito group."""
        while self._status(name) in CHANGING:
            time.sleep(POLL_SECONDS)
        cognito: CognitoMemberDefinitionTypeDef = {
            "UserPool": user_pool,
            "ClientId": client_id,
            "UserGroup": group,
        }
        self._client.create_workteam(
            WorkteamName=name,
            WorkforceName=name,
            Description="Reviewers of Loupe",
            MemberDefinitions=[{"CognitoMemberDefinition": cognito}],
        )

    def delete(self, name: str) -> None:
        """Delete the team and the workforce, as far as they exist."""
        with ignoring(*MISSING):
            self._client.delete_workteam(WorkteamName=name)
        with ignoring(*MISSING):
            self._client.delete_workforce(WorkforceName=name)

    def _status(self, name: str) -> str:
        workforce = self._client.describe_workforce(WorkforceName=name)["Workforce"]
        return str(workforce.get("Status", ""))
