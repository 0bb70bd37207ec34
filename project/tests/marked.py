"""What is marked for translation: found in the sources as makemessages finds it, and seen on what is shown.

Without gettext's tools: they write the catalogue, and are needed by nobody else.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from django.utils import translation
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent.parent
# Function -> which of its arguments are messages, and whether the first is a context.
MARKS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), (0, False)),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (0, False)),
    **dict.fromkeys(("pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"), (1, True)),
}
CALL = re.compile(r"\b(n?p?gettext|_)\(\s*((?:u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\s*,?\s*)+)")
LITERAL = re.compile(r"u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")")
# Of a page: what is no text, and the attributes that are read out or shown.
SILENT = ("script", "style")
SHOWN = ("alt", "aria-label", "content", "placeholder", "title")
OPEN, CLOSE = "⟦", "⟧"

Message = tuple[str | None, str]


def in_sources() -> dict[Message, str]:
    """Each message that is marked in our files, as (context, text), and a file that has it."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.py", "templates"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    found: dict[Message, str] = {}
    for name in names:
        if "/tests/" in name or not (ROOT / name).is_file():
            continue
        text = (ROOT / name).read_text()
        for message in _in_python(text) if name.endswith(".py") else _in_template(text, name):
            found.setdefault(message, name)
    return found


def _in_python(text: str) -> Iterator[Message]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            literals = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            if name in MARKS and len(literals) > MARKS[name][0]:
                place, has_context = MARKS[name]
                yield (literals[0] if has_context else None), literals[place]


def _in_template(text: str, name: str) -> Iterator[Message]:
    for call, arguments in CALL.findall(templatize(text, origin=name)):
        literals = [ast.literal_eval(one) for one in LITERAL.findall(arguments)]
        yield (literals[0], literals[1]) if "p" in call else (None, literals[0])


# Which argument of a call, or which keyword, holds a sentence for a person.
SAYS = {"ValidationError": 0, "success": 1, "info": 1, "warning": 1, "error": 1, "add_error": 1}
LABELS = ("label", "help_text", "empty_label", "violation_error_message", "verbose_name", "verbose_name_plural")


def unmarked_sentences(leave_out: tuple[str, ...]) -> list[str]:
    """Where our modules refuse, tell or label in plain words, as "file:line"."""
    found = []
    for path in sorted([*ROOT.glob("people/**/*.py"), *ROOT.glob("scheduling/**/*.py")]):
        name = path.relative_to(ROOT).as_posix()
        if any(part in f"/{name}" for part in leave_out):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                logs = getattr(getattr(node.func, "value", None), "id", "") == "logger"
                place = SAYS.get(called, len(node.args)) if not logs else len(node.args)
                said = [*node.args[place : place + 1], *(one.value for one in node.keywords if one.arg in LABELS)]
                found += [f"{name}:{one.lineno}" for one in said if _is_plain(one)]
    return found


def _is_plain(node: ast.expr) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.Constant) and re.search("[A-Za-z]{2}", str(part.value)) for part in node.values)
    if isinstance(node, ast.IfExp):
        return _is_plain(node.body) or _is_plain(node.orelse)
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(re.search("[A-Za-z]{2}", node.value))


class Marker:
    """Puts every translated text into ⟦⟧, and keeps what was asked for."""

    def __init__(self, monkeypatch):
        self.asked: set[tuple[str | None, str, bool]] = set()
        kept = {}
        for name in ("gettext", "ngettext", "pgettext", "npgettext"):
            kept[name] = getattr(translation._trans, name)
            monkeypatch.setattr(translation._trans, name, self._marking(name, kept[name]))

    def _marking(self, name, real):
        def marked(*arguments):
            context = arguments[0] if "p" in name.removesuffix("gettext") else None
            text = arguments[0 if context is None else 1]
            if not str(text).strip():
                return real(*arguments)
            self.asked.add((context, str(text), name.startswith("n")))
            made = f"{OPEN}{real(*arguments)}{CLOSE}"
            return translation.trans_real.mark_safe(made) if hasattr(text, "__html__") else made

        return marked

    def without_german(self) -> list[str]:
        """What was asked for and is in no German catalogue, ours or another's."""
        catalogue = translation.trans_real.translation("de")._catalog

        def key(context, text, plural):
            text = text if context is None else f"{context}\x04{text}"
            return (text, 0) if plural else text

        return sorted(text for context, text, plural in self.asked if key(context, text, plural) not in catalogue)


def outside(text: str) -> str:
    """What of a text stands in no ⟦⟧."""
    left, depth = [], 0
    for character in text:
        depth += (character == OPEN) - (character == CLOSE)
        if depth == 0 and character != CLOSE:
            left.append(character)
    assert depth == 0, f"a mark is cut in two: {text[:200]}"
    return "".join(left)


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.text, self.attributes, self.silent = [], [], False

    def handle_starttag(self, tag, attrs):
        self.silent = tag in SILENT
        said = dict(attrs)
        if tag == "meta" and said.get("name") != "description":
            return
        if tag == "option" or said.get("type") == "submit":
            self.text.append("\n")
        self.attributes += [said[name] for name in SHOWN if said.get(name)]

    def handle_endtag(self, tag):
        self.silent = False
        self.text.append("\n" if tag not in ("a", "b", "em", "span", "strong") else "")

    def handle_data(self, data):
        if not self.silent:
            self.text.append(data)


def shown_outside(page: str) -> list[str]:
    """The texts of a page, those of its attributes among them, that stand in no ⟦⟧."""
    parser = _Page()
    parser.feed(page)
    lines = outside("".join(parser.text)).splitlines() + [outside(said) for said in parser.attributes]
    return [" ".join(line.split()) for line in lines if line.strip()]
