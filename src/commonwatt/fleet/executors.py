"""Where buckets are worked: in this process, or in processes of this machine. A cluster is one more class of this kind."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import reprlib
import threading
import traceback
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class BucketFailed(Exception):
    """The function raised on one bucket. `index` counts from 0; a worker's own traceback stands in the notes."""

    def __init__(self, *, index: int, total: int, bucket: str, reason: str) -> None:
        super().__init__(f"Bucket {index + 1} of {total} ({bucket}) failed: {reason}")
        self.index = index
        self.bucket = bucket
        self.reason = reason


class WorkerDied(Exception):
    """A worker process ended without an answer. `unfinished` holds the indexes of the buckets that have no result."""

    def __init__(self, *, unfinished: Sequence[int], total: int, buckets: Sequence[str]) -> None:
        named = ", ".join(buckets[:5]) + (", …" if len(buckets) > 5 else "")
        super().__init__(
            f"A worker process was killed, or could not start; {len(unfinished)} of {total} buckets are not done: {named}. "
            "If memory ran out, use fewer workers. Running again is safe."
        )
        self.unfinished = tuple(unfinished)


class FunctionNotSendable(TypeError):
    """Only a function that other processes find by its name can be mapped."""

    def __init__(self, *, function: str, reason: str) -> None:
        super().__init__(f"{function} cannot be sent to a worker process: {reason}. Define it at the top of a module.")


class Executor(Protocol):
    """Works buckets somewhere."""

    def run(self, function: Callable[[T], R], buckets: Sequence[T]) -> Generator[tuple[int, R], None, None]:
        """Yield (index, result) of each bucket as it is done, in any order. Closing stops what has not begun.

        Raises:
            BucketFailed: The function raised.
            WorkerDied: Some buckets can have no result.
        """
        ...


class InProcess:
    """One bucket after the other, here."""

    def run(self, function: Callable[[T], R], buckets: Sequence[T]) -> Generator[tuple[int, R], None, None]:
        """See Executor."""
        for index, bucket in enumerate(buckets):
            try:
                result = function(bucket)
            except Exception as error:
                raise _failed(index, buckets, _reason(error)) from error
            yield index, result


class LocalProcesses:
    """Processes of this machine: spawned, never forked, as polars' threads do not survive a fork.

    Calls and answers are pickled here and by the worker, and the pool carries bytes: left to the pool, a bucket that
    cannot be pickled now and then hangs it for ever (seen with Python 3.11), and an exception that cannot be rebuilt
    takes it down.
    """

    def __init__(self, *, workers: int) -> None:
        self.workers = workers

    def run(self, function: Callable[[T], R], buckets: Sequence[T]) -> Generator[tuple[int, R], None, None]:
        """See Executor."""
        calls = _pickled_calls(function, buckets)
        spawn = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self.workers, mp_context=spawn, initializer=_end_with_parent)
        try:
            waiting = {pool.submit(_attempt, call): index for index, call in enumerate(calls)}
            for future in as_completed(tuple(waiting)):
                answer: _Done[R] | _Raised = _answer_of(future, waiting, buckets)
                index = waiting.pop(future)  # its result is the caller's now, and only the caller's
                if isinstance(answer, _Raised):
                    failure = _failed(index, buckets, answer.reason)
                    failure.add_note(f"In the worker:\n{answer.traceback}")
                    raise failure
                yield index, answer.result
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Done(Generic[R]):
    result: R


@dataclass(frozen=True, slots=True)
class _Raised:
    """Told in words, which always travel."""

    reason: str
    traceback: str


def _pickled_calls(function: Callable[[T], Any], buckets: Sequence[T]) -> list[bytes]:
    try:
        pickle.dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        name = getattr(function, "__qualname__", repr(function))
        raise FunctionNotSendable(function=name, reason=str(error)) from error
    calls: list[bytes] = []
    for index, bucket in enumerate(buckets):
        try:
            calls.append(pickle.dumps((function, bucket)))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise _failed(index, buckets, _reason(error)) from error
    return calls


def _attempt(call: bytes) -> bytes:
    """Runs in the worker."""
    try:
        function, bucket = pickle.loads(call)  # noqa: S301  # made by our own parent process
        return pickle.dumps(_Done(function(bucket)))
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever it is, the caller is told, with the bucket
        return pickle.dumps(_Raised(reason=_reason(error), traceback=traceback.format_exc()))


def _answer_of(future: Future[bytes], waiting: dict[Future[bytes], int], buckets: Sequence[Any]) -> Any:
    """The unpickled answer (Any: it is what the worker made of a result that only the caller knows)."""
    try:
        answer = future.result()
    except BrokenProcessPool as error:
        unfinished = sorted(waiting.values())
        names = [_name(buckets[place]) for place in unfinished]
        raise WorkerDied(unfinished=unfinished, total=len(buckets), buckets=names) from error
    return pickle.loads(answer)  # noqa: S301  # made by our own worker


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _failed(index: int, buckets: Sequence[Any], reason: str) -> BucketFailed:
    return BucketFailed(index=index, total=len(buckets), bucket=_name(buckets[index]), reason=reason)


def _name(bucket: object) -> str:
    return reprlib.repr(bucket)


def _end_with_parent() -> None:
    """Let a worker end when its parent is gone: killed outright, the parent tells nobody, and the worker would wait for ever."""
    threading.Thread(target=_await_parent, name="end-with-parent", daemon=True).start()


def _await_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
