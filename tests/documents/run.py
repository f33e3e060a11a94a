"""Runs documents as a reader would, and holds what is printed against them.

    python3 tests/documents/run.py [--all] [--write] FOLDER_OF_THE_PROGRAMS DOCUMENT...

`blocks.py` says how a document tells its steps, `comparison.py` what counts as the same. Each document
begins in a fresh copy of the repository's files, which is gone afterwards.
"""

import argparse
import os
import pathlib
import shutil
import sys
import tempfile
import time

from blocks import BadDocument, Block, Step, blocks_of
from comparison import ANY, EXACT, VARY, matches
from terminal import Terminal, TooSlow

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The longest command searches on a board for some seconds; a build of everything takes a while.
PATIENCE_S = 120
BUILDING_S = 3600
SOON_S = 30


class NotAsPrinted(Exception):
    """A step that did not come out as its document says."""

    def __init__(self, text: str, printed: list[str] | None = None) -> None:
        super().__init__(text)
        self.printed = printed


def factor_of(block: Block) -> float:
    if "any numbers" in block.remarks:
        return ANY
    return VARY if "numbers vary" in block.remarks else EXACT


def shown(lines: list[str]) -> str:
    return "\n".join(f"    {line}" for line in lines) or "    (nothing)"


def held(step: Step, printed: list[str], status: int, block: Block, forgiven: bool) -> None:
    if status != 0 and not forgiven:
        raise NotAsPrinted(f"it ended with {status}, and printed:\n{shown(printed)}")
    if step.printed is None or matches(step.printed, printed, factor_of(block)):
        return
    said = f"the document says:\n{shown(step.printed)}\n  it printed:\n{shown(printed)}"
    raise NotAsPrinted(said, printed)


def stays(terminal: Terminal, step: Step, block: Block) -> None:
    """Begins a command that goes on, and waits until it has printed what the document says."""
    terminal.begin(step.command)
    try:
        # A document that says nothing of it has it wait too, for what there may be.
        wanted, patience_s = (step.printed, SOON_S) if step.printed else (["?"], 2)
        terminal.printed(lambda got: matches(wanted, got, factor_of(block), begins=True), patience_s)
    except TooSlow as late:
        printed = str(late).splitlines()
        if not printed and not step.printed:
            return
        said = f"the document says:\n{shown(step.printed)}\n  it printed:\n{shown(printed)}"
        raise NotAsPrinted(said, printed) from None


def run_step(terminal: Terminal, step: Step, block: Block, forgiven: bool) -> None:
    patience_s = BUILDING_S if "slow" in block.remarks else PATIENCE_S
    deadline = time.monotonic() + (SOON_S if "soon" in block.remarks else 0)
    while True:
        try:
            printed, status = terminal.run(step.command, patience_s)
        except TooSlow as late:
            said = f"it did not end within {patience_s} s, and printed:\n{shown([str(late)])}"
            raise NotAsPrinted(said) from None
        try:
            return held(step, printed, status, block, forgiven)
        except NotAsPrinted:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.3)


class Run:
    """One document on its way."""

    def __init__(self, path: pathlib.Path, folder: pathlib.Path, environment: dict, given) -> None:
        self.path = path
        self.folder = folder
        self.environment = environment
        self.given = given
        self.terminals = [Terminal(str(folder), environment)]
        self.steps = 0
        self.to_write: list[tuple[Step, list[str]]] = []

    def run(self) -> None:
        try:
            for block in blocks_of(self.path.read_text()):
                if "file" in block.remarks:
                    (self.folder / block.remarks["file"]).write_text("\n".join(block.lines) + "\n")
                elif block.kind in ("sh", "console") and "not run" not in block.remarks:
                    if self.given.all or "slow" not in block.remarks:
                        self.block(block)
        finally:
            for terminal in reversed(self.terminals):
                terminal.close()

    def block(self, block: Block) -> None:
        if "terminal" in block.remarks:
            self.terminals.append(Terminal(str(self.folder), self.environment))
        terminal = self.terminals[-1 if "terminal" in block.remarks else 0]
        steps = block.steps()
        for place, step in enumerate(steps):
            following = steps[place + 1].command if place + 1 < len(steps) else ""
            try:
                if "terminal" in block.remarks and not following:
                    stays(terminal, step, block)
                else:
                    # Who looks at the exit code next expects one.
                    run_step(terminal, step, block, following == "echo $?")
            except NotAsPrinted as failed:
                if not self.given.write or failed.printed is None or "..." in step.printed:
                    said = f"{self.path}:{step.line}: $ {step.command}\n  {failed}"
                    raise NotAsPrinted(said) from None
                self.to_write.append((step, failed.printed))
            self.steps += 1

    def write(self) -> None:
        """Puts what was printed into the document, in place of what it says."""
        lines = self.path.read_text().splitlines()
        for step, printed in reversed(self.to_write):
            first = step.line - 1 + len(step.command.splitlines())
            lines[first : first + len(step.printed)] = [line.rstrip() for line in printed]
        self.path.write_text("\n".join(lines) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="run what builds or downloads as well")
    parser.add_argument("--write", action="store_true", help="put what is printed into the documents")
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("documents", type=pathlib.Path, nargs="+")
    given = parser.parse_args()
    failed = 0
    for document in given.documents:
        with tempfile.TemporaryDirectory(prefix="fulcrum-document-") as scratch:
            folder = pathlib.Path(scratch) / "fulcrum"
            shutil.copytree(ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns("target", ".git"))
            environment = {
                name: value for name, value in os.environ.items() if not name.startswith("FULCRUM_")
            }
            environment["PATH"] = f"{given.programs.resolve()}:{environment['PATH']}"
            environment["HOME"] = scratch if not given.all else environment["HOME"]
            began = time.monotonic()
            try:
                run = Run(document, folder, environment, given)
                try:
                    run.run()
                finally:
                    run.write()
                print(f"{document}: {run.steps} steps as printed, in {time.monotonic() - began:.0f} s")
            except NotAsPrinted as error:
                failed += 1
                print(error, file=sys.stderr)
            except BadDocument as error:
                failed += 1
                print(f"{document}:{error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
