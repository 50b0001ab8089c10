"""The lists of requirements: a package that is there only because another one brings it may leave with that."""

import ast
import re
from importlib.metadata import packages_distributions

from core.request.catalog import ROOT


def test_all_that_the_app_imports_is_declared() -> None:
    lists = [
        (ROOT / name).read_text("utf-8")
        for name in ("requirements.txt", "requirements-cluster.txt")
    ]
    declared = {name.lower() for name in re.findall(r"^[\w-]+", "\n".join(lists), re.MULTILINE)}
    files = [
        ROOT / "app.py",
        *(path for folder in ("core", "pages", "ui") for path in (ROOT / folder).rglob("*.py")),
    ]
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    packages = packages_distributions()  # by module; without Python's own and ours
    found = (packages.get(module.partition(".")[0], []) for module in modules)
    assert {name.lower().replace("_", "-") for names in found for name in names} - declared == set()
