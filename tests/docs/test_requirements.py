"""The lists of requirements: a package that only another one brings may leave with that."""

import ast
import re
from importlib.metadata import packages_distributions

from core.request.catalog import ROOT

LISTS = ("requirements.txt",)


def test_all_that_the_app_imports_is_declared() -> None:
    lists = "\n".join((ROOT / name).read_text("utf-8") for name in LISTS)
    declared = {name.lower() for name in re.findall(r"^[\w-]+", lists, re.MULTILINE)}
    packages = packages_distributions()  # by module; without Python's own and ours
    files = [ROOT / "app.py"]
    for folder in ("core", "pages", "ui"):
        files += (ROOT / folder).rglob("*.py")

    modules: set[str] = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules.add(node.module)

    for module in modules:
        names = packages.get(module.partition(".")[0], [])
        assert {name.lower().replace("_", "-") for name in names} <= declared
