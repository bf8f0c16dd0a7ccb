"""Is the Redis that somebody named one that can be used?"""

import re

import redis
from redis.exceptions import NoPermissionError

from server.errors import CommandError

OLDEST = (6, 2)


def check(url: str) -> None:
    """Raises CommandError where nothing answers, the password is wrong or the version is too old."""
    try:
        with redis.Redis.from_url(url, protocol=2, socket_timeout=5, socket_connect_timeout=5) as client:
            version = str(client.info("server").get("redis_version", ""))
    except ValueError as error:
        raise CommandError(f"no Redis address {shown(url)}: {error}") from error
    except NoPermissionError:
        return  # it answers, and keeps its version to itself
    except redis.RedisError as error:
        raise CommandError(f"cannot use Redis at {shown(url)}: {error}") from error
    numbers = tuple(map(int, re.findall(r"\d+", version)[:2]))
    if numbers and numbers < OLDEST:
        raise CommandError(f"Redis at {shown(url)} is version {version}: 6.2 or newer is needed")


def shown(url: str) -> str:
    """The URL without its password."""
    return re.sub(r"(?<=://)([^:/@]*):[^@]*@", r"\1:***@", url)
