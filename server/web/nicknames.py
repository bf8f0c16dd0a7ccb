"""Names for those who do not want to make one up."""

import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.arena.names import skeleton
from server.arena.players import tidy_code
from server.arena.unit import Unit
from server.db.models import Competition, Player

TRIES = 32
FIRST = """amber ancient autumn bold brave bright calm clever copper coral curious dancing daring distant dreaming early
eager electric fabled gentle glad golden grand happy hidden honest humming jolly keen kind lively lucky lunar marble
mellow merry mighty misty modest noble north patient playful plucky polar proud quick quiet rapid roaming rolling
rustic scarlet shining silent silver singing sleepy smiling snowy solar spry steady stormy sunny swift tall tidal
tranquil trusty velvet violet wandering warm whistling wild windy winter wise witty""".split()  # noqa: SIM905
LAST = """albatross alder anchor antelope badger bamboo beacon beaver bison breeze canyon cedar cheetah clover comet
cormorant crane cricket curlew cypress daisy dolphin dragonfly dune eagle egret elk ember falcon fern finch firefly
fjord fox gazelle gecko glacier goldfinch harbour hare hawk heron hornbill ibis iguana island jackdaw jay juniper
kestrel kingfisher koala lantern lark lemur lilac linnet lotus lynx magpie maple marten meadow merlin meteor moose
nebula newt nightjar oak ocelot orca oriole osprey otter owl panda pelican penguin petrel pine plover puffin quail
raven reef robin saffron salmon seal sparrow squirrel starling stork swallow swan tapir teal tern thistle thrush tiger
toucan turtle violin walrus willow wombat wren yak zebra""".split()  # noqa: SIM905


def suggest(unit: Unit, code: str) -> str:
    """A name that nobody in the competition with this code has, as far as a few tries can tell."""
    taken = _taken(unit.session, code)
    name = _made_up()
    for _ in range(TRIES):
        if skeleton(name) not in taken:
            break
        name = _made_up()
    return name


def _made_up() -> str:
    return f"{secrets.choice(FIRST)} {secrets.choice(LAST)}".title()


def _taken(session: Session, code: str) -> set[str | None]:
    if not any(character.isalnum() for character in code):
        return set()
    query = select(Player.name_key).join(Competition, Competition.id == Player.competition_id)
    return set(session.scalars(query.where(Competition.code == tidy_code(code))))
