"""The connection to an agent: lines of JSON over a local socket."""

from __future__ import annotations

import json
import logging
import os
import select
import socket
from typing import Any, Callable, Dict, Optional

from ._worker import Worker

PROTOCOL = 1
SOCKET = "/run/fulcrum/workers.sock"
SOCKET_VARIABLE = "FULCRUM_WORKER_SOCKET"
#: How long an agent may take to answer a worker that attaches, in seconds.
PATIENCE_SECONDS = 5.0
#: How long to wait before an agent that is not there is looked for again, in seconds.
RETRY_SECONDS = 1.0
#: The same for an agent that refused: it will most likely do so again, and writes it down each time.
_RETRY_REFUSED_SECONDS = 10.0

log = logging.getLogger("fulcrum")

Message = Dict[str, Any]


def reason(message: Message) -> str:
    """Why the agent does not go on with a worker, as it says."""
    for said in message.values():
        if isinstance(said, dict) and "reason" in said:
            return str(said["reason"])
    return str(message)


class NotAttached(Exception):
    """No agent answers, or it does not take this worker."""

    def __init__(self, why: str, retry_seconds: float) -> None:
        super().__init__(why)
        #: How long to run alone before the agent is asked again.
        self.retry_seconds = retry_seconds


class Connection:
    """A connection on which this worker is attached."""

    def __init__(
        self,
        path: Optional[str],
        worker: Worker,
        *,
        yields: Optional[Callable[[], bool]] = None,
    ) -> None:
        path = path or os.environ.get(SOCKET_VARIABLE) or SOCKET
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._buffer = b""
        attach: Message = {"protocol": PROTOCOL, **worker.attach()}
        try:
            self._socket.settimeout(PATIENCE_SECONDS)
            self._socket.connect(path)
            # Only now, so that a program without an agent stays as it is.
            if yields is not None and yields():
                attach["preemptible"] = True
            self.send({"attach": attach})
            answer = self.receive()
        except (OSError, ValueError) as error:
            self._socket.close()
            raise NotAttached(f"no agent at {path}: {error}", RETRY_SECONDS) from error
        if "welcome" not in answer:
            self._socket.close()
            why = f"the agent refused: {reason(answer)}"
            raise NotAttached(why, _RETRY_REFUSED_SECONDS)
        # From here on the agent may be silent for as long as it likes.
        self._socket.settimeout(None)

    def send(self, message: Message) -> None:
        """Says something; raises OSError when the agent has gone."""
        self._socket.sendall(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    def wait(self, woken: socket.socket, seconds: Optional[float]) -> bool:
        """Waits until the agent says something, until ``woken`` can be read, or for so long. Says
        whether the agent has something to say."""
        if b"\n" in self._buffer:
            return True
        either = select.poll()
        either.register(self._socket, select.POLLIN)
        either.register(woken, select.POLLIN)
        ready = either.poll(None if seconds is None else 1e3 * seconds)
        places = [place for place, _ in ready]
        if woken.fileno() in places:
            # However often it was woken, it is awake.
            woken.recv(64)
        return any(place != woken.fileno() for place in places)

    def receive(self) -> Message:
        """Waits for what the agent says next; raises OSError when it has gone."""
        while b"\n" not in self._buffer:
            received = self._socket.recv(4096)
            if not received:
                raise ConnectionResetError("the agent has gone")
            self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\n")
        message = json.loads(line)
        if not isinstance(message, dict):
            raise ValueError(f"{line!r} is no message")
        return message

    def close(self) -> None:
        """Ends the connection, and whoever waits to receive on it."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
