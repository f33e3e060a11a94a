"""A terminal of a document's reader: one shell, in which a command sees what those before it did."""

import os
import queue
import signal
import subprocess
import threading
import time

MARK = "--- the command has ended with"


class TooSlow(Exception):
    """A command that did not end in time, with what it had printed."""


class Terminal:
    def __init__(self, folder: str, environment: dict[str, str]) -> None:
        self.shell = subprocess.Popen(
            ["bash", "--norc"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.shell.stdout:
            self.lines.put(line.rstrip("\n"))

    def begin(self, command: str) -> None:
        """Types a command; nothing waits for its end."""
        # Braces keep what the command does to the shell; its own input is empty.
        self.shell.stdin.write(
            f"{{ {command}\n}} </dev/null; s=$?; printf '\\n{MARK} %d\\n' $s; (exit $s)\n"
        )
        self.shell.stdin.flush()

    def printed(self, enough, patience_s: float) -> list[str]:
        """What is printed until `enough` says so of it."""
        printed: list[str] = []
        deadline = time.monotonic() + patience_s
        while not enough(printed):
            try:
                printed.append(self.lines.get(timeout=max(0.01, deadline - time.monotonic())))
            except queue.Empty:
                raise TooSlow("\n".join(printed)) from None
        return printed

    def run(self, command: str, patience_s: float) -> tuple[list[str], int]:
        """What a command prints, and how it ends."""
        self.begin(command)
        printed = self.printed(lambda lines: bool(lines) and lines[-1].startswith(MARK), patience_s)
        status = int(printed.pop().removeprefix(MARK))
        # The mark has a line of its own, whether or not the last one had an end.
        if printed and not printed[-1]:
            printed.pop()
        return printed, status

    def close(self) -> None:
        """Ends the shell and what it left running, as closing a terminal does."""
        self._end()
        self.reader.join(timeout=5)
        for pipe in (self.shell.stdin, self.shell.stdout):
            pipe.close()

    def _end(self) -> None:
        for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.shell.pid, sent)
            except ProcessLookupError:
                return
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                self.shell.poll()
                try:
                    os.killpg(self.shell.pid, 0)
                except ProcessLookupError:
                    return
                time.sleep(0.05)
