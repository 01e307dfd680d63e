"""The scripts of static/ keep their shape: imports lead downwards only, files are short, and everything is used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from app.pages.table import PAGES

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "static"
LONGEST = 300
MOST = 20

# Which rooms the modules of a room may import, besides their own. No page imports another.
BELOW = {
    "base": set(),
    "engine": set(),
    "images": {"base"},
    "server": {"base"},
    "charts": {"base", "images", "server"},
    "site": {"base", "images", "server", "charts", "engine"},
    "pages": {"base", "images", "engine", "server", "charts", "site"},
    "player": {"base", "images", "engine"},
    "documents": set(),
}
ENTRY = "mount"  # the function of each panel's module (app/pages/panels.py)

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
STATEMENT = re.compile(r'^import\s+(?:\{([^}]*)\}\s+from\s+)?"([^"]+)";', re.MULTILINE)
CALL = re.compile(r'\bimport\(\s*"([^"]+)"\s*\)')
WORKER = re.compile(r'\bnew Worker\(new URL\("([^"]+)", import\.meta\.url\)')
TEMPLATE = re.compile(r"\bimport\(\s*`([^`$]*)\$\{name\}([^`$]*)`\s*\)")
NAMED = re.compile(r'\bload\("([\w-]+)"')  # `load("fan", ...)`: what stands for `${name}` in a template
EXPORT = re.compile(
    r"^export (?:async )?(?:(?:function\*?|class|const|let) (\w+)|(?:const|let) \{([^}]*)\})", re.MULTILINE
)


class Import(NamedTuple):
    """`names` of a module that another imports; none where it is loaded late or for its effect."""

    target: str
    names: tuple[str, ...]


def resolved(module: str, address: str) -> str:
    """`./b.js`, imported by `a/c.js`, is `a/b.js`."""
    assert address.startswith("."), f"{module} imports {address}, which is no relative address"
    path = (STATIC / PurePosixPath(module).parent / address).resolve()
    return path.relative_to(STATIC).as_posix()


def imports(module: str, text: str) -> Iterator[Import]:
    code = COMMENT.sub("", text)
    for names, address in STATEMENT.findall(code):
        yield Import(resolved(module, address), tuple(name.split()[0] for name in names.split(",") if name.strip()))
    for address in (*CALL.findall(code), *WORKER.findall(code)):
        yield Import(resolved(module, address), ())
    for start, end in TEMPLATE.findall(code):
        for name in sorted(set(NAMED.findall(code))):
            yield Import(resolved(module, f"{start}{name}{end}"), ())


def exports(text: str) -> list[str]:
    return [name for one, many in EXPORT.findall(text) for name in (many.replace(",", " ").split() or [one])]


TEXTS = {path.relative_to(STATIC).as_posix(): path.read_text() for path in sorted(STATIC.rglob("*.js"))}
IMPORTS = {module: list(imports(module, text)) for module, text in TEXTS.items()}
EDGES = sorted({(module, found.target) for module, all_ in IMPORTS.items() for found in all_})
SERVER = {path: path.read_text() for path in sorted((ROOT / "app").rglob("*.py"))}
DOCUMENTS = {path: path.read_text() for path in sorted((ROOT / "core" / "documents").rglob("*.py"))}
TESTS = {path: path.read_text() for path in sorted((ROOT / "tests" / "browser").rglob("*.py"))}


def room(module: str) -> str:
    return PurePosixPath(module).parts[0]


def page(module: str) -> str | None:
    parts = PurePosixPath(module).parts
    return parts[1] if parts[0] == "pages" else None


def test_the_reader_sees_every_import_and_export() -> None:
    """What the patterns above do not know would pass unseen."""
    for module, text in TEXTS.items():
        code = COMMENT.sub("", text)
        seen = len(STATEMENT.findall(code)) + len(CALL.findall(code)) + len(TEMPLATE.findall(code))
        assert len(re.findall(r'^import\s*["{*]|^import \w+ from|\bimport\(', code, re.MULTILINE)) == seen, module
        assert len(re.findall(r"^export\b", code, re.MULTILINE)) == len(EXPORT.findall(code)), module
    assert len(EDGES) > 400


def test_every_import_leads_to_a_module_and_to_what_it_exports() -> None:
    for module, found in IMPORTS.items():
        for target, names in found:
            assert target in TEXTS, f"{module} imports {target}, which is not there"
            assert set(names) <= set(exports(TEXTS[target])), f"{module} imports {names} of {target}"


def test_arrows_lead_downwards() -> None:
    assert {room(module) for module in TEXTS} == set(BELOW)
    upwards = [(a, b) for a, b in EDGES if room(b) not in BELOW[room(a)] | {room(a)}]
    assert not upwards


def test_no_page_imports_another() -> None:
    across = [(a, b) for a, b in EDGES if page(b) and page(a) != page(b)]
    assert not across


def test_there_is_no_circle() -> None:
    graph: dict[str, set[str]] = {module: set() for module in TEXTS}
    for module, target in EDGES:
        graph[module].add(target)
    TopologicalSorter(graph).prepare()


def test_folders_and_files_are_small() -> None:
    folders = Counter(str(PurePosixPath(module).parent) for module in TEXTS)
    assert not {folder: count for folder, count in folders.items() if count > MOST}
    assert not [module for module, text in TEXTS.items() if len(text.splitlines()) > LONGEST]


def test_every_module_says_what_lives_in_it() -> None:
    assert not [module for module, text in TEXTS.items() if not re.match(r"/\*\*\s+(\* )?\w", text)]


def test_every_module_is_loaded() -> None:
    """By another one, by the row of its page, or by Python, which names it: a document's by its name in its room."""
    python = "\n".join([*SERVER.values(), *DOCUMENTS.values()])
    loaded = {target for _, target in EDGES} | {f"pages/{row.name}/page.js" for row in PAGES.values() if row.head}
    names = {module: PurePosixPath(module).name if room(module) == "documents" else module for module in TEXTS}
    assert not [module for module in TEXTS.keys() - loaded if f'{names[module]}"' not in python]


def test_every_page_has_its_script() -> None:
    assert {row.name for row in PAGES.values()} == {name for module in TEXTS if (name := page(module))}


def test_every_export_is_used() -> None:
    """By a module that imports it; by one that loads its module late; by Python that names its module."""
    taken = {(target, name) for found in IMPORTS.values() for target, names in found for name in names}
    loads = {(found.target, module) for module, all_ in IMPORTS.items() for found in all_ if not found.names}

    def used(module: str, name: str) -> bool:
        late = [TEXTS[other] for target, other in loads if target == module]
        python = [text for text in [*SERVER.values(), *TESTS.values()] if module.removesuffix(".js") in text]
        return name == ENTRY or any(re.search(rf"\b{name}\b", text) for text in [*late, *python])

    unused = [
        (module, name)
        for module, text in TEXTS.items()
        for name in exports(text)
        if (module, name) not in taken and not used(module, name)
    ]
    assert not unused


def test_one_name_is_one_thing() -> None:
    names = Counter(name for text in TEXTS.values() for name in exports(text) if name != ENTRY)
    assert not [name for name, count in names.items() if count > 1]
