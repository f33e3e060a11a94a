"""A training program's side of taking turns."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Dict, Iterable, Iterator, List, Optional, TypeVar

from ._connection import RETRY_SECONDS, Connection, NotAttached, log, reason
from ._idle import run_when_idle
from ._worker import Worker

Batch = TypeVar("Batch")

#: Minibatches are told of at the latest after this long, in nanoseconds.
_REPORT_NS = 100_000_000
#: So many at the latest, so that a line of short ones does not become longer than the agent reads.
_REPORT_MINIBATCHES = 500


def train(
    loader: Iterable[Batch],
    *,
    workload: str,
    batch_size: int,
    socket: Optional[str] = None,
    fingerprint: str = "",
    preemptible: bool = False,
) -> Iterator[Batch]:
    """Gives out what the loader gives; the body of the loop runs in its turn, as one minibatch.

    Loading takes no turn. Everything that the body leaves to the device has to be done when it
    ends: with PyTorch on a GPU, end it with ``torch.cuda.synchronize()`` or ``loss.item()``.

    Whatever changes what a minibatch costs, like the size of a sample or the number of layers, has
    another ``fingerprint`` (at most 64 letters, digits, dots, hyphens and underscores): profiles of
    one version say nothing certain of another.

    Where the network computes on the processor, ``preemptible=True`` lets requests preempt a
    minibatch instead of waiting for its end: the system can take the processor from it at any
    moment, as nobody can a GPU. Once attached, the whole process runs only while no other wants to
    (``SCHED_IDLE``), until it ends.
    """
    # What is wrong is said now, and not when the first minibatch is asked for.
    Worker.training(workload, batch_size, fingerprint)

    def in_turns() -> Iterator[Batch]:
        with Tenant(
            workload=workload,
            batch_size=batch_size,
            socket=socket,
            fingerprint=fingerprint,
            preemptible=preemptible,
        ) as tenant:
            for batch in loader:
                with tenant.grant():
                    yield batch

    return in_turns()


class Tenant:
    """A program that trains when it is its turn.

    ``with Tenant(…) as tenant:`` leaves the agent at the end, as ``close`` does.
    """

    def __init__(
        self,
        *,
        workload: str,
        batch_size: int,
        socket: Optional[str] = None,
        fingerprint: str = "",
        preemptible: bool = False,
    ) -> None:
        self._worker = Worker.training(workload, batch_size, fingerprint)
        self._preemptible = preemptible
        self._path = socket
        self._turns: Optional[_Turns] = None
        self._retry_at = 0.0
        self._warned = False
        self._look_for_agent()

    def __enter__(self) -> "Tenant":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def attached(self) -> bool:
        """Whether an agent gives turns now."""
        return self._turns is not None and not self._turns.lost

    @contextlib.contextmanager
    def grant(self) -> Iterator[None]:
        """Waits for a turn and holds it for one minibatch."""
        self._look_for_agent()
        turns = self._turns
        if turns is not None and not turns.begin():
            # The agent has gone; the next minibatch looks for it.
            self._turns = turns = None
            self._retry_at = time.monotonic() + RETRY_SECONDS
        began_ns = time.monotonic_ns()
        try:
            yield
        finally:
            if turns is not None:
                turns.end(began_ns, time.monotonic_ns())

    def close(self) -> None:
        """Leaves the agent."""
        if self._turns is not None:
            self._turns.close()
            self._turns = None

    def _yields(self) -> bool:
        """Makes this process yield to every other; false where that cannot be."""
        try:
            run_when_idle()
        except OSError as error:
            log.warning("requests wait for the end of each minibatch: %s", error)
            return False
        return True

    def _look_for_agent(self) -> None:
        if self._turns is not None or time.monotonic() < self._retry_at:
            return
        try:
            self._turns = _Turns(
                Connection(
                    self._path,
                    self._worker,
                    yields=self._yields if self._preemptible else None,
                )
            )
        except NotAttached as error:
            self._retry_at = time.monotonic() + error.retry_seconds
            if not self._warned:
                self._warned = True
                log.warning("%s runs without turns: %s", self._worker.workload, error)


class _Turns:
    """Turns from one agent. A thread listens while the program does other things, so that a turn
    that is revoked between two minibatches is given back at once."""

    def __init__(self, connection: Connection) -> None:
        self.lost = False
        self._connection = connection
        self._changed = threading.Condition()
        self._grant: Optional[int] = None
        self._start_until_ns: Optional[int] = None
        self._left: Optional[int] = None
        self._running = False
        self._told_ns = 0
        self._ran: List[Dict[str, int]] = []
        threading.Thread(target=self._listen, name="fulcrum-turns", daemon=True).start()

    def begin(self) -> bool:
        """Waits for a turn; false when the agent has gone."""
        with self._changed:
            while not self.lost:
                if self._may_begin(time.monotonic_ns()):
                    self._running = True
                    return True
                self._give_back()
                self._changed.wait()
            return False

    def end(self, began_ns: int, ended_ns: int) -> None:
        """A minibatch has ended."""
        with self._changed:
            self._running = False
            self._ran.append({"began_ns": began_ns, "ended_ns": ended_ns, "requests": 0})
            if self._left is not None:
                self._left -= 1
            if not self._may_begin(ended_ns):
                self._give_back()
            elif (
                ended_ns - self._told_ns >= _REPORT_NS or len(self._ran) >= _REPORT_MINIBATCHES
            ):
                self._told_ns = ended_ns
                self._tell(done=False)

    def close(self) -> None:
        self._connection.close()

    def _may_begin(self, now_ns: int) -> bool:
        if self._grant is None or (self._left is not None and self._left <= 0):
            return False
        return self._start_until_ns is None or now_ns <= self._start_until_ns

    def _give_back(self) -> None:
        if self._grant is not None:
            self._tell(done=True)
            self._grant = None

    def _tell(self, *, done: bool) -> None:
        ran, self._ran = self._ran, []
        try:
            self._connection.send(
                {"ran": {"grant": self._grant, "minibatches": ran, "done": done}}
            )
        except OSError:
            self.lost = True
            self._changed.notify_all()

    def _listen(self) -> None:
        try:
            while True:
                message = self._connection.receive()
                with self._changed:
                    if not self._take(message):
                        break
        except (OSError, ValueError):
            pass
        with self._changed:
            self.lost = True
            self._changed.notify_all()

    def _take(self, message: Dict[str, Dict[str, object]]) -> bool:
        if "grant" in message:
            grant = message["grant"]
            self._grant = int(str(grant["id"]))
            until, left = grant.get("start_until_ns"), grant.get("minibatches")
            self._start_until_ns = None if until is None else int(str(until))
            self._left = None if left is None else int(str(left))
            self._told_ns = time.monotonic_ns()
            self._changed.notify_all()
        elif "revoke" in message:
            if message["revoke"].get("id") == self._grant:
                self._left = 0
                if not self._running:
                    self._give_back()
        elif "fenced" in message or "refused" in message:
            log.warning("the agent went on without this worker: %s", reason(message))
            return False
        return True
