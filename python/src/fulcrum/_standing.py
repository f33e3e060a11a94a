"""A turn that stands: the worker decides by itself when a minibatch begins, as the agent would."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple


class Standing:
    """A turn that goes on until it is revoked."""

    def __init__(self, grant: int, sizes: List[Tuple[int, int]]) -> None:
        self.grant = grant
        #: How many requests a minibatch answers, ascending, and how long in nanoseconds the oldest
        #: may have waited when it begins; one or more.
        self._sizes = sizes

    @classmethod
    def said(cls, stand: Dict[str, Any]) -> "Standing":
        """The turn that the agent has said stands."""
        sizes = [(int(size["requests"]), int(size["hold_ns"])) for size in stand["sizes"]]
        if not sizes:
            raise ValueError("a turn that stands has no size")
        return cls(int(stand["id"]), sizes)

    def answers(self, waiting: int, waited_ns: int) -> Optional[int]:
        """How many of the requests that wait, the oldest for so long, a minibatch answers that
        begins now; none while it is better to wait for more."""
        full, hold_ns = self._sizes[0]
        if waiting == 0 or (waiting < full and waited_ns < hold_ns):
            return None
        late_in_any_case = waited_ns > hold_ns
        for requests, hold_ns in reversed(self._sizes):
            if requests <= waiting and (late_in_any_case or waited_ns <= hold_ns):
                return requests
        return waiting

    def decides_with(self, waiting: int) -> int:
        """With how many requests there is something to decide again, when so many wait."""
        return 1 if waiting == 0 else self._sizes[0][0]

    def bears_ns(self, waited_ns: int) -> int:
        """For how long the oldest may still wait, when it has waited for so long."""
        return max(0, self._sizes[0][1] - waited_ns)
