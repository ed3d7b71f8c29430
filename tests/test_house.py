"""The house's floors and manners, held by reading its code."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from fleettop.tui import later

ROOT = Path(__file__).parents[1]
MOST_LINES = 450
MOST_LINES_OF_TESTS = 700
NOBODYS_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
ROOMS = ("collectors", "tui")
WAITING = ROOT / "tests/fleet"
"""Where the machinery of the fleet, and `eventually`, wait; nowhere else does a test sleep."""


def _modules(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(), _name(file))


def _imports(tree: ast.Module) -> Iterator[str]:
    """The full names of what a module imports from outside its own package, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _dotted(node: ast.expr) -> str:
    """`asyncio.sleep` for that expression; empty for anything but names and dots."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (front := _dotted(node.value)):
        return f"{front}.{node.attr}"
    return ""


def _mentions(tree: ast.Module) -> set[str]:
    """Every dotted name that a module imports, or uses of what it imports."""
    imported = set(_imports(tree))
    used = {_dotted(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return imported | {name for name in used if name.partition(".")[0] in imported}


def _users(names: set[str], folders: tuple[str, ...], allowed: tuple[str, ...]) -> list[str]:
    """Modules that mention one of the names, or something of it, outside the places where that is allowed."""
    found = []
    for file in _modules(*folders):
        where = _name(file)
        if where.startswith(allowed):
            continue
        for mention in sorted(_mentions(_tree(file))):
            if any(mention == name or mention.startswith(f"{name}.") for name in names):
                found.append(f"{where} uses {mention}")
    return found


def _modules_loaded_by(program: str) -> set[str]:
    """The modules a fresh interpreter has loaded after a program."""
    code = f"import sys\n{program}\nprint('\\n'.join(sys.modules), file=sys.__stderr__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


# -- the floors


@pytest.mark.parametrize("module", [_name(file) for file in _modules("collectors")])
def test_what_knows_engines_names_no_terminal_library(module: str) -> None:
    """No module of the collectors imports textual, rich or the interface, not even inside a function."""
    roots = {name.split(".")[0] for name in _imports(_tree(ROOT / module))}
    assert not roots & {"textual", "rich"}
    assert not [name for name in _imports(_tree(ROOT / module)) if name.startswith("fleettop.tui")]


def test_importing_all_collectors_loads_no_terminal_library() -> None:
    """In a fresh interpreter, importing every module of the collectors finds neither textual nor rich."""
    names = [
        f"fleettop.{_name(file)[:-3].replace('/', '.').removesuffix('.__init__')}" for file in _modules("collectors")
    ]
    loaded = _modules_loaded_by("\n".join(f"import {name}" for name in names))
    assert set(names) <= loaded
    assert not loaded & {"textual", "rich"}


def test_importing_all_collectors_loads_neither_asyncssh_nor_the_docker_sdk() -> None:
    """They take 330 ms to load and are imported where they are first needed."""
    names = [
        f"fleettop.{_name(file)[:-3].replace('/', '.').removesuffix('.__init__')}" for file in _modules("collectors")
    ]
    assert not _modules_loaded_by("\n".join(f"import {name}" for name in names)) & {"asyncssh", "docker"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        (["--help"], 0),
        (["ls", "--help"], 0),
        (["ls", "containers", "unix:///nowhere/docker.sock", "--json"], 3),
    ],
)
def test_quick_commands_never_load_the_terminal_interface(arguments: list[str], code: int) -> None:
    """What only prints starts without textual, which is half of the time to start."""
    loaded = _modules_loaded_by(
        "import contextlib, io\nfrom fleettop.tui.cli import main\nsaid = io.StringIO()\n"
        f"with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):\n    code = main({arguments})\n"
        f"assert code == {code}, said.getvalue()"
    )
    assert "fleettop.tui.cli" in loaded
    assert sorted(loaded & {"textual", "docker"}) == []


def test_the_dashboard_starts_without_what_its_first_screen_does_without() -> None:
    """What keys do, what talks to engines, alarms, the SDK, SSH and aiohttp are loaded behind the first screen, or when
    they are wanted."""
    loaded = _modules_loaded_by("import fleettop.tui.run")
    assert "fleettop.tui.app" in loaded
    parts = ("actions", "alarms", "logs", "checks", "recording", "demo", "links", "engine.client", "watch.supervisor")
    late = {f"fleettop.collectors.{part}" for part in parts}
    late |= {"docker", "asyncssh", "aiohttp", "httptools", "importlib.metadata"}
    late |= {"hashlib", "json", "statistics", "shlex", "sqlite3"}
    assert sorted(loaded & {*late, *later.MODULES}) == []


def test_what_is_loaded_later_is_there() -> None:
    """A name that leads nowhere would end the dashboard a second after it has opened."""
    for name in later.MODULES:
        import_module(name)
    assert later.looks()
    assert later.deeds()


# -- single owners


def test_only_links_open_connections() -> None:
    """Everything else dials the endpoint that a link gave; the demo's engines listen; an alarm may run a command."""
    openers = {
        *("asyncio.open_connection", "asyncio.open_unix_connection", "socket.create_connection", "socket.socket"),
        *("asyncssh", "subprocess", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"),
    }
    assert (
        _users(openers, ("collectors",), ("collectors/links/", "collectors/demo/", "collectors/alarms/ways.py")) == []
    )


def test_only_client_and_actions_send_requests() -> None:
    """HTTP is spoken by the engine's client, the actions, which use the docker SDK, and a webhook alone."""
    senders = {"httptools", "aiohttp", "requests", "docker", "http.client", "urllib.request"}
    allowed = ("collectors/engine/", "collectors/actions/", "collectors/demo/", "collectors/alarms/")
    assert _users(senders, ROOMS, allowed) == []


def test_nothing_runs_a_shell() -> None:
    """Commands are words, never a line that a shell reads."""
    shells = {"os.system", "os.popen", "asyncio.create_subprocess_shell", "subprocess.getoutput", "pty.spawn"}
    assert _users(shells, ROOMS, ()) == []
    for file in _modules(*ROOMS):
        for node in ast.walk(_tree(file)):
            if isinstance(node, ast.Call):
                assert not any(word.arg == "shell" for word in node.keywords), f"{_name(file)}:{node.lineno}"


def test_only_the_command_line_reads_arguments_and_environment() -> None:
    """Arguments and environment enter the program in one place; beside it only an ssh config may name variables."""
    entrances = {"sys.argv", "os.environ", "os.getenv", "os.environb"}
    assert _users(entrances, ROOMS, ("tui/cli.py", "tui/__main__.py", "collectors/links/sshoptions.py")) == []


def test_collectors_print_nothing() -> None:
    """What is known goes up as data; only the interface speaks to people."""
    for file in _modules("collectors"):
        for node in ast.walk(_tree(file)):
            if isinstance(node, ast.Call):
                assert _dotted(node.func) not in ("print", "input", "sys.stdout.write", "sys.stderr.write"), _name(file)


def test_no_task_is_left_without_an_owner() -> None:
    """A task belongs to a TaskGroup, or is kept by who cancels it; nobody holds one that is only started."""
    found = []
    for file in _modules(*ROOMS):
        for node in ast.walk(_tree(file)):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                made = _dotted(node.value.func)
                if made in ("asyncio.create_task", "asyncio.ensure_future", "loop.create_task"):
                    found.append(f"{_name(file)}:{node.lineno}")
    assert found == []


# -- modules


@pytest.mark.parametrize("module", [_name(file) for file in _modules(*ROOMS, "tests", "bench", "screenshots")])
def test_a_module_is_one_idea(module: str) -> None:
    """A module is named for what it is about, and is short enough to be read in one go."""
    assert Path(module).stem.lower().strip("_") not in NOBODYS_NAMES
    lines = len((ROOT / module).read_text().splitlines())
    assert lines <= (MOST_LINES if module.startswith(ROOMS) else MOST_LINES_OF_TESTS), f"{module} has {lines} lines"


@pytest.mark.parametrize("module", [_name(file) for file in _modules(*ROOMS)])
def test_every_module_says_what_it_is(module: str) -> None:
    """A module begins with a docstring."""
    text = (ROOT / module).read_text()
    assert not text.strip() or ast.get_docstring(ast.parse(text))


# -- tests


Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(file: Path) -> list[Function]:
    return [node for node in ast.walk(_tree(file)) if isinstance(node, Function)]


def _test_files() -> list[Path]:
    return [file for file in _modules("tests") if file.name.startswith("test_")]


def test_every_test_states_its_rule() -> None:
    """A test's docstring says what must hold; its name is a sentence of three words at least."""
    for file in _test_files():
        for test in _functions(file):
            if test.name.startswith("test"):
                assert ast.get_docstring(test), f"{_name(file)}:{test.lineno} {test.name}"
                assert test.name.count("_") > 2, f"{_name(file)}:{test.lineno} {test.name}"


def _called(function: Function) -> set[str]:
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return {_dotted(call).rpartition(".")[2] for call in calls}


def _asserts(function: Function, siblings: dict[str, Function], seen: frozenset[str] = frozenset()) -> bool:
    """Whether a function, or one of the same module that it calls, asserts something or expects an exception."""
    if any(isinstance(node, ast.Assert) for node in ast.walk(function)):
        return True
    called = _called(function)
    if called & {
        "raises",
        "fail",
        "warns",
        "timeout",
        "wait_for",
        "snap_compare",
        "eventually",
        "eventually_sync",
        "poll",
    }:
        return True
    seen = seen | {function.name}
    return any(_asserts(siblings[name], siblings, seen) for name in called & siblings.keys() - seen)


def test_every_test_can_fail() -> None:
    """A test asserts something; one that only wants no exception at all does so over generated values."""
    for file in _test_files():
        functions = {function.name: function for function in _functions(file)}
        for name, function in functions.items():
            generated = any("given" in ast.dump(decorator) for decorator in function.decorator_list)
            if name.startswith("test") and not generated:
                assert _asserts(function, functions), f"{_name(file)}:{function.lineno} {name} cannot fail"


def test_no_test_sleeps() -> None:
    """Tests wait for a condition with a deadline (`eventually`), never for a time; only sleeping 0 yields to others."""
    found = []
    for file in _modules("tests"):
        if file.is_relative_to(WAITING) and not file.name.startswith("test_"):
            continue
        for node in ast.walk(_tree(file)):
            if isinstance(node, ast.Call) and _dotted(node.func).rpartition(".")[2] in ("sleep", "pause"):
                zero = len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
                pilot = _dotted(node.func).endswith("pilot.pause") and not node.args
                if not zero and not pilot:
                    found.append(f"{_name(file)}:{node.lineno}")
    assert found == []
