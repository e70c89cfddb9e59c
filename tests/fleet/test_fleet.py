"""One function over every bucket of meters: the same results in the same order, wherever they are worked out."""

from __future__ import annotations

import functools
import operator
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fleet import work

from commonwatt.fleet import BucketFailed, FunctionNotSendable, InProcess, LocalProcesses, WorkerDied, map_buckets

BOTH = pytest.mark.parametrize("workers", [1, 2])


@BOTH
def test_results_come_in_the_order_of_the_buckets(workers: int) -> None:
    """The last bucket may be done first; its result stands last all the same."""
    progress: list[tuple[int, int]] = []
    results = map_buckets(work.slow_square, range(6), workers=workers, on_done=lambda done, total: progress.append((done, total)))
    assert results == [0, 1, 4, 9, 16, 25]
    assert progress == [(done, 6) for done in range(1, 7)]


def test_nothing_to_do() -> None:
    """No meters, no work, no fuss."""
    assert map_buckets(work.square, []) == []


def test_work_goes_to_new_processes_that_inherit_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are spawned, never forked: memory of this process, and its threads, are not theirs."""
    monkeypatch.setitem(work.NOTE, "left_here", True)
    there = map_buckets(work.whereabouts, range(8), workers=2)
    assert os.getpid() not in {process for process, _ in there}
    assert {inherited for _, inherited in there} == {False}
    for here in (map_buckets(work.whereabouts, range(8), workers=1), map_buckets(work.whereabouts, [0], workers=2)):
        assert set(here) == {(os.getpid(), True)}


def test_the_machine_s_cores_are_used_unless_told_otherwise() -> None:
    """Without a number of workers there is one per core, as far as there are buckets for them."""
    processes = {process for process, _ in map_buckets(work.whereabouts, range(40))}
    assert len(processes) <= len(os.sched_getaffinity(0))
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"):
        map_buckets(work.square, [1, 2], workers=0)


def test_an_executor_may_be_given() -> None:
    """A cluster is one more executor; here the two that ship."""
    for executor in (InProcess(), LocalProcesses(workers=2)):
        assert map_buckets(functools.partial(operator.mul, 3), [1, 2, 3], executor=executor) == [3, 6, 9]


@BOTH
def test_a_failure_names_its_bucket(workers: int) -> None:
    """The operator reads which bucket failed and why, also when the error itself could not travel."""
    with pytest.raises(BucketFailed) as caught:
        map_buckets(work.refuse_three, range(6), workers=workers)
    assert str(caught.value) == "Bucket 4 of 6 (3) failed: FussyError: meter 3 has no readings"
    assert (caught.value.index, caught.value.bucket) == (3, "3")
    if workers == 1:
        assert isinstance(caught.value.__cause__, work.FussyError)
    else:
        assert "in refuse_three" in caught.value.__notes__[0]


def test_a_worker_that_leaves_is_a_failure_of_its_bucket() -> None:
    """An exit within a worker ends neither the pool nor the program."""
    with pytest.raises(BucketFailed, match=r"Bucket 4 of 6 \(3\) failed: SystemExit: enough"):
        map_buckets(work.leave_on_three, range(6), workers=2)


def test_a_killed_worker_is_told_with_what_is_not_done() -> None:
    """Nothing hangs and nothing is silently left out."""
    with pytest.raises(WorkerDied, match=r"of 6 buckets are not done: .*3.*use fewer workers") as caught:
        map_buckets(work.die_on_three, range(6), workers=2)
    assert 3 in caught.value.unfinished


def test_a_function_without_a_name_is_refused_at_once() -> None:
    """A lambda cannot be found by another process; the message says where to put it."""
    with pytest.raises(FunctionNotSendable, match=r"cannot be sent to a worker process: .*Define it at the top of a module"):
        map_buckets(lambda number: number, range(3), workers=2)


@pytest.mark.parametrize(
    ("function", "buckets"),
    [(work.unsendable_result, [1, 2]), (work.square, [threading.Lock(), threading.Lock()])],
)
def test_what_cannot_travel_is_named(function: Callable[[object], object], buckets: list[object]) -> None:
    """A result or a bucket that cannot be pickled is a failure of that bucket."""
    with pytest.raises(BucketFailed, match=r"Bucket [12] of 2 .* failed: TypeError: cannot pickle"):
        map_buckets(function, buckets, workers=2)


def test_after_a_failure_no_further_bucket_is_begun(tmp_path: Path) -> None:
    """A failed run stops soon, and not after an hour of work for nothing."""
    buckets = [tmp_path / str(number) for number in range(40)]
    with pytest.raises(BucketFailed, match="ValueError: the first"):
        map_buckets(work.touch, buckets, workers=2)
    assert len(list(tmp_path.iterdir())) < 20


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    """A parent killed outright leaves no process behind that waits for work for ever."""
    root = Path(__file__).parents[2]
    parent = subprocess.Popen([sys.executable, "-m", "tests.fleet.work", str(tmp_path)], cwd=root)
    try:
        workers = wait_until(lambda: [int(path.name) for path in tmp_path.iterdir()], lambda found: len(found) == 2)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert wait_until(lambda: [process for process in workers if is_running(process)], lambda left: not left) == []


def wait_until(look: Callable[[], list[int]], is_good: Callable[[list[int]], bool]) -> list[int]:
    """Look again for at most half a minute."""
    give_up_at = time.monotonic() + 30
    while not is_good(found := look()) and time.monotonic() < give_up_at:
        time.sleep(0.05)
    assert is_good(found), found
    return found


def is_running(process: int) -> bool:
    """Whether the process is there and not merely waiting to be buried."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"
