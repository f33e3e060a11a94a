"""The steps of a document: what its fenced blocks say to type, and what they say comes of it.

A block of `console` has commands after `$ ` and what they print below them; a block of `sh` has
commands alone. A remark before a block, which readers do not see, says more of it:

    <!-- terminal -->        it is typed in a terminal of its own, and goes on until the document ends
    <!-- numbers vary -->    numbers come out otherwise each time
    <!-- any numbers -->     they depend on the machine
    <!-- soon -->            it is repeated until it comes out as printed
    <!-- file: NAME -->      it is not typed: it is the content of that file, and is saved
    <!-- slow: REASON -->    it builds or downloads: run with --all alone
    <!-- not run: REASON --> it needs what a test does not have

Several may stand in one remark, with `;` between them.
"""

import re
from dataclasses import dataclass, field

REMARKS = {"terminal", "numbers vary", "any numbers", "soon", "file", "slow", "not run"}


class BadDocument(Exception):
    """A document that cannot be run, with the line that is wrong."""


@dataclass
class Step:
    """One command, and what the document says that it prints."""

    line: int
    command: str
    printed: list[str] | None


@dataclass
class Block:
    """A fenced block with the remarks before it."""

    line: int
    kind: str
    remarks: dict[str, str]
    lines: list[str] = field(default_factory=list)

    def steps(self) -> list[Step]:
        steps: list[Step] = []
        number = 0
        if self.kind == "sh":
            return [Step(self.line + 1 + at, text, None) for at, text in enumerate(self.lines) if text]
        while number < len(self.lines):
            text = self.lines[number]
            if text.startswith("$ "):
                first = number
                command = [text[2:]]
                while command[-1].endswith("\\"):
                    number += 1
                    command.append(self.lines[number])
                if opened := re.search(r"<<'(\w+)'", text):
                    while self.lines[number] != opened[1]:
                        number += 1
                        command.append(self.lines[number])
                steps.append(Step(self.line + 1 + first, "\n".join(command), []))
            elif steps:
                steps[-1].printed.append(text)
            else:
                raise BadDocument(f"{self.line + 1}: a console block begins with `$ `")
            number += 1
        return steps


def remarks_of(text: str, line: int) -> dict[str, str]:
    remarks = {}
    for part in text.split(";"):
        name, _, value = part.strip().partition(":")
        if name not in REMARKS:
            raise BadDocument(f"{line}: unknown remark `{name}`; known are {sorted(REMARKS)}")
        remarks[name] = value.strip()
    return remarks


def blocks_of(text: str) -> list[Block]:
    """The blocks of a document, in their order."""
    blocks: list[Block] = []
    remarks: dict[str, str] = {}
    block = None
    for number, line in enumerate(text.splitlines(), start=1):
        if block is not None:
            if line.strip() == "```":
                blocks.append(block)
                block, remarks = None, {}
            else:
                block.lines.append(line)
        elif opened := re.fullmatch(r"```(\S*)", line.strip()):
            block = Block(number, opened[1], remarks)
        elif remark := re.fullmatch(r"<!--(.*)-->", line.strip()):
            remarks = remarks_of(remark[1], number)
        elif line.strip():
            if remarks:
                raise BadDocument(f"{number}: a remark stands right before its block")
    if block is not None:
        raise BadDocument(f"{block.line}: a block that does not end")
    return blocks
