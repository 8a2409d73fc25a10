"""The shared cache, and what stands in for it while Redis is away."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

AWAY_FOR_S = 5.0
logger = logging.getLogger(__name__)


class SteadyRedisCache(RedisCache):
    """Redis, and while that cannot be reached the process's own memory.

    Throttles and log-in limits count in the cache: without Redis they go on counting, in each
    process for itself, and nobody gets an error for it. Redis is tried again after 5 s.
    """

    def __init__(self, server, params):
        super().__init__(server, params)
        self._own = LocMemCache("while-redis-is-away", params)
        self._away_until_s = 0.0

    def _steadily(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= self._away_until_s:
            try:
                return getattr(super(), name)(*args, **kwargs)
            except RedisError as error:
                self._away_until_s = time.monotonic() + AWAY_FOR_S
                logger.warning("Redis cannot be reached; caching in memory: %s", error)
        return getattr(self._own, name)(*args, **kwargs)


def _steady(name: str) -> Callable[..., Any]:
    def method(self: SteadyRedisCache, *args: Any, **kwargs: Any) -> Any:
        return self._steadily(name, *args, **kwargs)

    method.__name__ = name
    return method


# Everything that reaches Redis; all other methods are made of these.
for _name in (
    *("add", "get", "set", "touch", "delete", "has_key", "incr", "clear"),
    *("get_many", "set_many", "delete_many"),
):
    setattr(SteadyRedisCache, _name, _steady(_name))
