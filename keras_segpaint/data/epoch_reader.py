"""Preparing the batches of an epoch ahead of their use."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

__all__ = ["EpochReader"]

T = TypeVar("T")


class EpochReader(Generic[T]):
    """Hands out the batches of an epoch in order and has the next ones prepared by threads.

    Keras asks for batches by number, by default in a random order of its own. Between `begin` and `end` the
    first one asked for is batch 0, the next one batch 1, and so on.
    """

    def __init__(self, make: Callable[[int, int], T], batches: int, workers: int):
        self._make = make
        self._batches = batches
        self._workers = workers
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._ahead: dict[tuple[int, int], Future[T]] = {}
        self._in_order = False
        self._given = 0
        self._last = -1

    def begin(self) -> None:
        with self._lock:
            self._in_order, self._given, self._last = True, 0, -1

    def end(self) -> bool:
        """Ends an epoch; whether it really took place.

        Keras also calls this at the start of `fit`, after no batch or after the one it builds the model with.
        """
        with self._lock:
            took_place = self._in_order and self._given >= min(2, self._batches)
            self._in_order, self._given = False, 0
            return took_place

    def reset(self) -> None:
        with self._lock:
            self._given, self._last = 0, -1
            for future in self._ahead.values():
                future.cancel()
            self._ahead.clear()

    def read(self, epoch: int, index: int) -> T:
        with self._lock:
            place = index
            if self._in_order:
                place = self._given % self._batches
                self._given += 1
            follows = place == self._last + 1 and (place > 0 or self._in_order)
            self._last = place
            if not self._workers or not follows:
                waiting = self._ahead.pop((epoch, place), None)
            else:
                for ahead in range(place, min(place + self._workers + 1, self._batches)):
                    self._submit(epoch, ahead)
                waiting = self._ahead.pop((epoch, place))
        return self._make(epoch, place) if waiting is None else waiting.result()

    def _submit(self, epoch: int, place: int) -> None:
        if (epoch, place) in self._ahead:
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="keras_segpaint")
        self._ahead[epoch, place] = self._pool.submit(self._make, epoch, place)
