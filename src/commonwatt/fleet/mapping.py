"""Choosing where buckets are worked, and putting their results back in order."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TypeVar

from commonwatt.fleet.executors import Executor, InProcess, LocalProcesses

T = TypeVar("T")
R = TypeVar("R")


def map_buckets(
    function: Callable[[T], R],
    buckets: Sequence[T],
    *,
    workers: int | None = None,
    on_done: Callable[[int, int], None] | None = None,
    executor: Executor | None = None,
) -> list[R]:
    """Call the function once per bucket and return the results in the order of the buckets.

    Args:
        function: Importable by name (`functools.partial` of such a function will do), without side effects that a second
            run could not bear. Must not rely on state of this process.
        buckets: What the function is called with; small and picklable, as meter ids are.
        workers: Processes to use; None takes one per core at hand. With one worker, or one bucket, all happens here.
        on_done: Called in this thread after each bucket with how many are done, and of how many.
        executor: Where to work instead, a cluster for example; `workers` is then its own affair.

    Raises:
        BucketFailed: The function raised; names the bucket. No further bucket is begun.
        WorkerDied: A worker process was killed, by the system for want of memory for example; names what is not done.
        FunctionNotSendable: The function cannot be found by name in another process.
    """
    if executor is None:
        executor = _local(workers, buckets=len(buckets))
    results: dict[int, R] = {}
    with closing(executor.run(function, buckets)) as finished:
        for index, result in finished:
            results[index] = result
            if on_done is not None:
                on_done(len(results), len(buckets))
    return [results[index] for index in range(len(buckets))]


def _local(workers: int | None, *, buckets: int) -> Executor:
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    wanted = min(len(os.sched_getaffinity(0)) if workers is None else workers, buckets)
    return InProcess() if wanted <= 1 else LocalProcesses(workers=wanted)
