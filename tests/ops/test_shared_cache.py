"""With Redis, several servers share what they must count together."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests import services

PROGRAM = """
import sys, django
django.setup()
from django.core.cache import cache
cache.add("commonwatt-test:tries", 0, 60)
print(cache.incr("commonwatt-test:tries"))
"""


@pytest.mark.redis
def test_tries_are_counted_together_by_all_processes() -> None:
    """Two servers that share a Redis count a person's tries together, so that nobody gets twice the allowance."""
    environment = {
        **os.environ,
        "COMMONWATT_REDIS_URL": services.redis_address(),
        "DJANGO_SETTINGS_MODULE": "commonwatt.ops.django_settings",
    }
    counts = [
        subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    ]
    import redis

    with redis.from_url(services.redis_address()) as server:
        server.delete(*server.keys("*commonwatt-test:tries"))
    assert counts == ["1", "2"]
