"""No module imports itself by way of others, not even for its types: what import-linter's layers cannot see."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("app", "core", "jobs", exclude_type_checking_imports=False, cache_dir=None)


def test_no_imports_go_round_in_circles(graph: grimp.ImportGraph) -> None:
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert {"app.__main__", "core.__main__", "jobs.__main__"} <= imports.keys()
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))
