"""An inference program's side of taking turns."""

from __future__ import annotations

import socket as sockets
import threading
import time
from collections import deque
from concurrent.futures import Future
from typing import Callable, Deque, Generic, List, Optional, Sequence, Tuple, TypeVar

from ._connection import RETRY_SECONDS, Connection, Message, NotAttached, log, reason
from ._standing import Standing
from ._worker import Worker

Request = TypeVar("Request")
Answer = TypeVar("Answer")

#: No more requests are told of in one line.
_MOST_ARRIVALS = 1000


class Batcher(Generic[Request, Answer]):
    """Takes requests, and answers them in minibatches when it is its turn.

    ``infer`` answers one minibatch on a thread of the batcher's own: an answer for each request, in
    their order, with nothing left to the device. ``sample`` gives a request as real ones are; with
    it the agent can measure this worker without requests, which a search for a plan needs.
    ``fingerprint`` tells this version of the network from others of the same name (see ``train``).
    ``with Batcher(…) as batcher:`` ends it as ``close`` does.
    """

    def __init__(
        self,
        infer: Callable[[List[Request]], Sequence[Answer]],
        *,
        workload: str,
        batch_sizes: Sequence[int],
        socket: Optional[str] = None,
        sample: Optional[Callable[[], Request]] = None,
        fingerprint: str = "",
    ) -> None:
        if not callable(infer):
            raise TypeError(f"infer: {infer!r} cannot be called")
        self._worker = Worker.inference(workload, batch_sizes, fingerprint, sample is not None)
        self._infer = infer
        self._sample = sample
        self._path = socket
        self._changed = threading.Condition()
        self._waiting: Deque[Tuple[Request, int, "Future[Answer]"]] = deque()
        self._connection: Optional[Connection] = None
        self._closed = False
        #: How many have to wait for the thread that answers to be woken; none while it is awake, and
        #: where the agent says when to answer.
        self._sleeps_until: Optional[int] = None
        self._wake, self._woken = sockets.socketpair()
        self._wake.setblocking(False)
        self._warned = False
        threading.Thread(target=self._serve, name="fulcrum-batcher", daemon=True).start()

    def __enter__(self) -> "Batcher[Request, Answer]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, request: Request) -> "Future[Answer]":
        """Takes a request; its answer comes by the future."""
        future: "Future[Answer]" = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("the batcher is closed")
            at_ns = time.monotonic_ns()
            self._waiting.append((request, at_ns, future))
            self._tell([at_ns])
            self._changed.notify()
            wakes = self._sleeps_until is not None and len(self._waiting) >= self._sleeps_until
            if wakes:
                self._sleeps_until = None
        # Who wakes needs the lock at once.
        if wakes:
            self._wake.send(b"\0")
        return future

    @property
    def attached(self) -> bool:
        """Whether an agent gives turns now."""
        return self._connection is not None

    def close(self) -> None:
        """Ends the batcher. Requests that still wait are cancelled."""
        with self._changed:
            self._closed = True
            self._leave()
            while self._waiting:
                self._waiting.popleft()[2].cancel()
            self._changed.notify()

    def _tell(self, arrivals: List[int]) -> None:
        try:
            for start in range(0, len(arrivals), _MOST_ARRIVALS):
                if self._connection is not None:
                    at_ns = arrivals[start : start + _MOST_ARRIVALS]
                    self._connection.send({"arrived": {"at_ns": at_ns}})
        except OSError:
            self._leave()

    def _leave(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _serve(self) -> None:
        while not self._closed:
            try:
                connection = Connection(self._path, self._worker)
            except NotAttached as error:
                if not self._warned:
                    self._warned = True
                    log.warning("%s runs without turns: %s", self._worker.workload, error)
                self._serve_alone(time.monotonic() + error.retry_seconds)
                continue
            self._serve_turns(connection)

    def _serve_turns(self, connection: Connection) -> None:
        with self._changed:
            if self._closed:
                connection.close()
                return
            self._connection = connection
            # What came while there was no agent still has its own time of arrival.
            self._tell([at_ns for _, at_ns, _ in self._waiting])
        standing: Optional[Standing] = None
        try:
            while True:
                message = self._next(connection, standing)
                if "grant" in message:
                    grant = message["grant"]
                    self._answer(connection, int(grant["id"]), int(grant["requests"]), True)
                elif "stand" in message:
                    standing = Standing.said(message["stand"])
                elif "revoke" in message:
                    # Any other is a minibatch that was begun at once and run to its end.
                    grant = int(message["revoke"]["id"])
                    if standing is not None and standing.grant == grant:
                        standing = None
                        self._told(connection, grant, [], True)
                elif "rehearse" in message:
                    turn = message["rehearse"]
                    self._rehearse(connection, int(turn["id"]), int(turn["requests"]))
                elif "fenced" in message or "refused" in message:
                    log.warning("the agent went on without this worker: %s", reason(message))
                    break
        except (OSError, ValueError):
            pass
        with self._changed:
            self._leave()

    def _next(self, connection: Connection, standing: Optional[Standing]) -> Message:
        """Waits for the agent; in a turn that stands, answers requests meanwhile."""
        while standing is not None:
            answers, bears_seconds = self._decide(standing)
            if connection.wait(self._woken, bears_seconds):
                break
            if answers is not None:
                self._answer(connection, standing.grant, answers, False)
        return connection.receive()

    def _decide(self, standing: Standing) -> Tuple[Optional[int], Optional[float]]:
        """How many requests to answer now, and for how long there is nothing to do otherwise."""
        with self._changed:
            waiting = len(self._waiting)
            waited_ns = time.monotonic_ns() - self._waiting[0][1] if waiting else 0
            answers = standing.answers(waiting, waited_ns)
            self._sleeps_until = standing.decides_with(waiting) if answers is None else None
        if answers is not None:
            return answers, 0.0
        return None, standing.bears_ns(waited_ns) / 1e9 if waiting else None

    def _serve_alone(self, until: float) -> None:
        while not self._closed:
            with self._changed:
                while not self._waiting and not self._closed:
                    left = until - time.monotonic()
                    if left <= 0 or not self._changed.wait(left):
                        return
            if time.monotonic() >= until:
                return
            self._run(self._take(self._worker.batch_sizes[-1]), lambda _: None)

    def _take(self, count: int) -> List[Tuple[Request, int, "Future[Answer]"]]:
        with self._changed:
            return [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]

    def _answer(self, connection: Connection, grant: int, requests: int, done: bool) -> None:
        self._run(
            self._take(requests),
            lambda minibatches: self._told(connection, grant, minibatches, done),
        )

    def _told(
        self, connection: Connection, grant: int, minibatches: List[dict[str, int]], done: bool
    ) -> None:
        """Tells of minibatches that ran in a turn, and whether it is over."""
        with self._changed:
            connection.send({"ran": {"grant": grant, "minibatches": minibatches, "done": done}})

    def _rehearse(self, connection: Connection, grant: int, requests: int) -> None:
        """Runs one minibatch of samples, to be measured."""
        minibatches: List[dict[str, int]] = []
        if self._sample is not None:
            samples = [self._sample() for _ in range(requests)]
            began_ns = time.monotonic_ns()
            try:
                self._infer(samples)
            except Exception:  # what failed is no minibatch, so its time is not told
                log.exception("%s fails on its own sample", self._worker.workload)
                time.sleep(RETRY_SECONDS)
            else:
                ended_ns = time.monotonic_ns()
                minibatches.append({"began_ns": began_ns, "ended_ns": ended_ns, "requests": 0})
        self._told(connection, grant, minibatches, True)

    def _run(
        self,
        taken: List[Tuple[Request, int, "Future[Answer]"]],
        told: Callable[[List[dict[str, int]]], None],
    ) -> None:
        """Runs one minibatch; the device is given back before the answers are."""
        began_ns = time.monotonic_ns()
        answers: Sequence[Answer] = []
        failure: Optional[BaseException] = None
        if taken:
            try:
                answers = self._infer([request for request, _, _ in taken])
                if len(answers) != len(taken):
                    failure = ValueError(f"{len(answers)} answers for {len(taken)} requests")
            except Exception as error:  # whatever it is belongs to those who asked
                failure = error
        minibatch = {
            "began_ns": began_ns,
            "ended_ns": time.monotonic_ns(),
            "requests": len(taken),
        }
        try:
            told([minibatch] if taken else [])
        finally:
            for place, (_, _, future) in enumerate(taken):
                if failure is not None:
                    future.set_exception(failure)
                else:
                    future.set_result(answers[place])
