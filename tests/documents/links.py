"""Looks whether the links in the repository's Markdown lead to a file, and to a heading in it.

Addresses in the network are left alone.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEFT_OUT = {"target", ".git", "node_modules"}
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`[^`\n]*`")


def documents() -> list[pathlib.Path]:
    found = ROOT.rglob("*.md")
    return sorted(path for path in found if not LEFT_OUT & set(path.relative_to(ROOT).parts))


def anchors(text: str) -> set[str]:
    """The anchors that a forge gives a document's headings."""
    given: set[str] = set()
    for heading in re.findall(r"^#+ +(.*)$", FENCED.sub("", text), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")
        number = 1
        while anchor in given:
            anchor = f"{anchor.rsplit('-', 1)[0] if number > 1 else anchor}-{number}"
            number += 1
        given.add(anchor)
    return given


def broken(path: pathlib.Path, text: str) -> list[str]:
    """What is wrong with the links of a document."""
    found = []
    for link in LINK.findall(CODE.sub("`", FENCED.sub("", text))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists():
            found.append(f"{link}: there is no such file")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text()):
            found.append(f"{link}: there is no such heading")
    return found


def main() -> int:
    paths = documents()
    failed = 0
    for path in paths:
        for problem in broken(path, path.read_text()):
            print(f"{path.relative_to(ROOT)}: {problem}", file=sys.stderr)
            failed += 1
    if not failed:
        print(f"the links of {len(paths)} documents lead somewhere")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
