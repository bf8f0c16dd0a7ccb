"""What keeps the server from its work, in a host's words: a queue that takes nothing, a disk that is full."""

from games.sentences import say
from server.queue.messages import RedisError
from server.queue.refusals import word

DISK_FULL = say("The disk of the database is full: nothing new is accepted until there is room.")

WORDS = {
    "AWAY": say("Redis does not answer: moves are accepted, and scored when it is back."),
    "OOM": say(
        "Redis has no memory left (OOM): moves are accepted, and scored when it has room. Give it more by maxmemory."
    ),
    "READONLY": say(
        "Redis can only be read (READONLY), as a copy of another: moves are accepted, and scored when it takes writes."
    ),
    "NOPERM": say(
        "Redis does not let the server write (NOPERM): moves are accepted, and scored when its user may do so."
    ),
    "MISCONF": say(
        "Redis cannot write to its disk (MISCONF): moves are accepted, and scored when it can. See whether it is full."
    ),
}


def of_queue(error: RedisError) -> str:
    """Why Redis takes no work, and what to do about it."""
    told = WORDS.get(word(error))
    return told or say(
        "Redis takes no work: moves are accepted, and scored when it does. It says: {reason}", reason=str(error)
    )
