"""Whether a server answers: ``python -P tests/answering.py URL``; used by ./test."""

import sys
from urllib.parse import urlsplit

import psycopg
import redis


def answers(url: str) -> bool:
    """Whether the PostgreSQL or Redis server that ``url`` names lets us in."""
    try:
        if urlsplit(url).scheme == "redis":
            return bool(redis.Redis.from_url(url, socket_connect_timeout=3).ping())
        # The database named is made by the tests; this one is always there.
        server = urlsplit(url)._replace(path="/postgres").geturl()
        psycopg.connect(server, connect_timeout=3).close()
    except (psycopg.OperationalError, redis.RedisError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(not answers(sys.argv[1]))
