"""What runs the documents does not let them off."""

import pathlib
import tempfile
import unittest

from blocks import BadDocument, blocks_of
from comparison import ANY, EXACT, VARY, matches
from links import broken
from terminal import Terminal

DOCUMENT = """
# One

<!-- numbers vary; soon -->
```console
$ one \\
    --more
a line

$ cat > file <<'END'
not printed
END
$ two
```

```sh
three
```
"""


class Blocks(unittest.TestCase):
    def test_a_block_has_its_commands_with_what_they_print(self) -> None:
        console, shell = blocks_of(DOCUMENT)
        self.assertEqual(console.remarks, {"numbers vary": "", "soon": ""})
        self.assertEqual(
            [(step.command, step.printed) for step in console.steps()],
            [
                ("one \\\n    --more", ["a line", ""]),
                ("cat > file <<'END'\nnot printed\nEND", []),
                ("two", []),
            ],
        )
        self.assertEqual(console.steps()[1].line, 10)
        self.assertEqual([step.printed for step in shell.steps()], [None])

    def test_what_cannot_be_run_is_named_with_its_line(self) -> None:
        for text, line in [
            ("```console\nno command\n```\n", "2:"),
            ("<!-- numbers are fun -->\n```sh\n```\n", "1:"),
            ("<!-- soon -->\nwords\n", "2:"),
            ("words\n```sh\n", "2:"),
        ]:
            with self.assertRaises(BadDocument) as caught:
                [block.steps() for block in blocks_of(text)]
            self.assertTrue(str(caught.exception).startswith(line), str(caught.exception))


class Comparison(unittest.TestCase):
    def test_what_is_printed_is_held_word_for_word(self) -> None:
        self.assertTrue(matches(["a  1.5W"], ["a  1.5W "], EXACT))
        self.assertFalse(matches(["a  1.5W"], ["a  1.6W"], EXACT))
        self.assertFalse(matches(["a"], ["a", "b"], EXACT))
        self.assertFalse(matches(["a", "b"], ["a"], EXACT))
        self.assertFalse(matches([], ["a warning"], EXACT))

    def test_dots_stand_for_any_lines(self) -> None:
        self.assertTrue(matches(["a", "...", "d"], ["a", "b", "c", "d"], EXACT))
        self.assertTrue(matches(["a", "..."], ["a"], EXACT))
        self.assertFalse(matches(["a", "...", "e"], ["a", "b", "d"], EXACT))

    def test_numbers_vary_only_so_far_and_only_where_said(self) -> None:
        line = "simulated-1  running  gate  30.0W  8.0/s, longest 700 ms"
        for other, like in [
            ("simulated-1  running  gate  28.4W  9.0/s, longest 1200 ms", True),
            ("simulated-1 running gate 30.0W 8.0/s, longest 700 ms", True),
            ("simulated-2  running  gate  30.0W  8.0/s, longest 700 ms", False),
            ("simulated-1  blocked  gate  30.0W  8.0/s, longest 700 ms", False),
            ("simulated-1  running  gate  30.0W  8.0/s, longest 7000 ms", False),
            ("simulated-1  running  gate  30.0W  8.0/s, longest 700 us", False),
        ]:
            self.assertEqual(matches([line], [other], VARY), like, other)
            self.assertFalse(matches([line], [other], EXACT), other)
        self.assertTrue(matches([line], [line.replace("700", "70000")], ANY))

    def test_moments_and_computing_always_vary(self) -> None:
        told = "5 s ago  at 2026-01-02T03:04:05.6Z; 7.1ms of computing"
        other = "2 min ago  at 2027-11-12T13:14:15Z; 12us of computing"
        self.assertTrue(matches([told], [other], EXACT))


class Terminals(unittest.TestCase):
    def test_a_command_sees_what_those_before_it_did(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            terminal = Terminal(folder, {"PATH": "/usr/bin:/bin"})
            try:
                self.assertEqual(terminal.run("export A=7; printf x", 10), (["x"], 0))
                said = terminal.run("echo $A; echo; echo no >&2; false", 10)
                self.assertEqual(said, (["7", "", "no"], 1))
                self.assertEqual(terminal.run("echo $?", 10), (["1"], 0))
            finally:
                terminal.close()


class Links(unittest.TestCase):
    def test_a_link_leads_to_a_file_and_a_heading(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "a.md"
            text = "# One `two`: three\n[a](#one-two-three) [b](b.md) [x](#no) `[y](no.md)`"
            path.write_text(text)
            self.assertEqual(len(broken(path, text)), 2)


if __name__ == "__main__":
    unittest.main()
