"""One pure function over every meter bucket, on this machine's cores or wherever an executor takes it.

    for seals in map_buckets(seal_bucket, buckets): ...

The function is called once per bucket and gets nothing else; it is found by name in the workers, so it lives at the top of
a module. Results come back in the order of the buckets, the same whatever ran them.
"""

from commonwatt.fleet.executors import BucketFailed, Executor, FunctionNotSendable, InProcess, LocalProcesses, WorkerDied
from commonwatt.fleet.mapping import map_buckets

__all__ = [
    "BucketFailed",
    "Executor",
    "FunctionNotSendable",
    "InProcess",
    "LocalProcesses",
    "WorkerDied",
    "map_buckets",
]
