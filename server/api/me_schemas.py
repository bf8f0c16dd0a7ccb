"""The caller, as the API shows them."""

from pydantic import BaseModel, Field

from server.api import schemas


class Used(BaseModel):
    """Of how many, how many are used."""

    used: int
    of: int


class RoundUsed(BaseModel):
    round: str
    attempts: Used


class Allowance(BaseModel):
    """What is left of all that is limited for a participant."""

    rate: float = Field(description="Moves a second that are taken for long.")
    at_once: int = Field(description="Moves that would be taken at once now.")
    wait_s: float = Field(description="Seconds until the next move would be taken; 0: now.")
    submissions: Used = Field(description="That are kept of the participant. No waiting frees any.")
    waiting: Used = Field(description="Measurements that wait for the judge; moves are taken again as these are made.")
    measured: Used = Field(description="Texts measured for the participant, beyond which only moves are.")
    rounds: list[RoundUsed] = Field(description="Attempts of the open rounds that limit them.")


class Me(BaseModel):
    scope: str
    player: schemas.Player | None
    competition: str | None = Field(description="The only one that the token is good for.")
    name: str | None = Field(description="A host's or an observer's; null for the server's owner.")
    owner: bool = Field(description="Whether it is a host of the whole server.")
    allowance: Allowance | None = Field(description="What is left of what is limited; null but for players.")
