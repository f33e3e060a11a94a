"""What a worker says of itself when it attaches, checked where it is written down: without an agent,
too."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Dict, Tuple

_LONGEST_NAME = 256
_MOST_SIZES = 1024
_LARGEST_SIZE = 2**32 - 1


@dataclass(frozen=True)
class Worker:
    """A worker, as plans and profiles name it."""

    workload: str
    kind: str
    #: Ascending.
    batch_sizes: Tuple[int, ...]
    fingerprint: str
    rehearses: bool

    @classmethod
    def training(cls, workload: str, batch_size: int, fingerprint: str) -> "Worker":
        """One that trains with minibatches of one size."""
        sizes = (_size("batch_size", batch_size),)
        return cls(_name(workload), "train", sizes, _version(fingerprint), False)

    @classmethod
    def inference(
        cls, workload: str, batch_sizes: Iterable[int], fingerprint: str, rehearses: bool
    ) -> "Worker":
        """One that answers requests with minibatches of these sizes."""
        if not isinstance(batch_sizes, Iterable):
            raise ValueError(f"batch_sizes: {batch_sizes!r} is no list; write it like [1, 2, 4]")
        sizes = tuple(sorted({_size("batch_sizes", size) for size in batch_sizes}))
        if not 1 <= len(sizes) <= _MOST_SIZES:
            raise ValueError(f"batch_sizes: name 1 to {_MOST_SIZES} sizes, not {len(sizes)}")
        return cls(_name(workload), "infer", sizes, _version(fingerprint), rehearses)

    def attach(self) -> Dict[str, Any]:
        """What it says, beside the protocol."""
        said: Dict[str, Any] = {
            "workload": self.workload,
            "kind": self.kind,
            "batch_sizes": list(self.batch_sizes),
        }
        if self.rehearses:
            said["rehearses"] = True
        if self.kind == "infer":
            said["stands"] = True
        if self.fingerprint:
            said["fingerprint"] = self.fingerprint
        return said


def _name(workload: str) -> str:
    is_name = isinstance(workload, str) and 1 <= len(workload.encode()) <= _LONGEST_NAME
    if not is_name or re.search(r"[\x00-\x1f\x7f-\x9f]", workload):
        raise ValueError(f"workload: {workload!r} is no name of 1 to {_LONGEST_NAME} characters")
    return workload


def _size(argument: str, size: int) -> int:
    try:
        # What stands for a whole number, as numpy's do, is one.
        number = operator.index(size)
    except TypeError:
        number = 0
    if not 1 <= number <= _LARGEST_SIZE:
        raise ValueError(f"{argument}: {size!r} is no whole number above zero")
    return number


def _version(fingerprint: str) -> str:
    if not isinstance(fingerprint, str) or not re.fullmatch(r"[A-Za-z0-9._-]{0,64}", fingerprint):
        raise ValueError(
            f"fingerprint: {fingerprint!r} is not at most 64 letters, digits, dots, hyphens and"
            " underscores"
        )
    return fingerprint
