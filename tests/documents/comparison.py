"""Whether a program printed what its document says.

- A line `...` in a document stands for any lines.
- Moments, how long ago something was, how long computing took, and random names always vary.
- Else all is equal, but for blanks at a line's end.
- Where numbers vary, a number may be from a third to three times the printed one, or differ by 1.5;
  where any number will do, what it is depends on the machine. Its unit, the digits in names, and all
  else are equal, but for how many blanks stand between them.
"""

import re

COMPUTING = re.compile(r'\d[\d.]*(?:us|ms|s)(?= of computing)|(?<="solve_us": )[\d.]+')
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
AGO = re.compile(r"\d+ (?:s|min|h) ago *")
RANDOM = re.compile(r"\b[0-9a-f]{24}\b")
# Not the digits in mobilenet_v3, simulated-1 or orin-agx-7.
NUMBER = re.compile(r"(?<![\w.])(?<![A-Za-z]-)\d+(?:\.\d+)?")


def settled(line: str) -> str:
    for what, name in ((COMPUTING, "TIME"), (MOMENT, "TIME"), (AGO, "AGO "), (RANDOM, "ID")):
        line = what.sub(name, line)
    return line.rstrip()


# By how much numbers may differ.
EXACT, VARY, ANY = 1.0, 3.0, float("inf")


def alike(wanted: str, got: str, factor: float) -> bool:
    """Whether one line may stand for another."""
    wanted, got = settled(wanted), settled(got)
    if factor == EXACT:
        return wanted == got
    if " ".join(NUMBER.sub("N", wanted).split()) != " ".join(NUMBER.sub("N", got).split()):
        return False
    pairs = zip(map(float, NUMBER.findall(wanted)), map(float, NUMBER.findall(got)))
    return all(abs(a - b) <= 1.5 or a / factor <= b <= a * factor for a, b in pairs)


def matches(wanted: list[str], got: list[str], factor: float, begins: bool = False) -> bool:
    """Whether lines are those of the document; with `begins`, whether they begin with them."""
    if not wanted:
        return begins or not got
    if wanted[0].strip() == "...":
        return any(
            matches(wanted[1:], got[skipped:], factor, begins)
            for skipped in range(len(got) + 1)
        )
    if not got or not alike(wanted[0], got[0], factor):
        return False
    return matches(wanted[1:], got[1:], factor, begins)
