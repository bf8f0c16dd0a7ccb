"""What the API tells of a competition's league."""

from pydantic import BaseModel, Field

from server.api.schemas import BoardPlayer


class LeagueMark(BaseModel):
    """A program's rating after a round that has ended."""

    round: str
    number: int = Field(description="Of the round.", examples=[3])
    rating: float = Field(description="As in `LeagueEntry`.", examples=[12.418])


class LeagueEntry(BaseModel):
    """A program of the league, and how it got there."""

    rank: int
    player: BoardPlayer
    rating: float = Field(description="What ranks: mu - 3 sigma, in thousandths.", examples=[12.418])
    mu: float = Field(description="The estimate; 25 to begin with.", examples=[29.173])
    sigma: float = Field(description="How unsure it is.", examples=[5.585])
    rounds: int = Field(description="How many rounds it rests on.", examples=[3])
    history: list[LeagueMark] = Field(description="After each of these rounds, in the order in which they ended.")
