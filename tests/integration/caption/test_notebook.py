"""The notebook runs from the first cell to the last and shows what it promises."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.live_platform import ROOT

NOTEBOOK = ROOT / "caption-service" / "notebooks" / "captions.ipynb"

pytestmark = pytest.mark.filterwarnings("default")  # the notebook machinery's own are not ours to mend


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TMPDIR", str(folder))
        environment.setenv("IPYTHONDIR", str(folder))
        environment.setenv("PATH", "")  # without Java: METEOR takes ten seconds, and test_service.py has it
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def _answer(notebook: nbformat.NotebookNode, words: str) -> str:
    """Return the value that the cell whose code holds `words` ends with, as Python writes it."""
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code" and words in cell.source)
    values = [output for output in cell.outputs if output.output_type == "execute_result"]
    return values[-1].data["text/plain"]


def test_what_was_learnt_from_drawn_pictures_tells_new_ones(executed: nbformat.NotebookNode) -> None:
    sentences = ast.literal_eval(_answer(executed, "new_pictures = "))
    told = [colour in sentence for colour, sentence in zip(("red", "blue", "yellow"), sentences, strict=True)]
    assert sum(told) >= 2, sentences


def test_similar_pictures_are_near(executed: nbformat.NotebookNode) -> None:
    share = int(ast.literal_eval(_answer(executed, "likeness.argmax")).partition("%")[0])
    assert share > 50


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


def test_the_notebook_leaves_nothing_in_the_checkout(executed: nbformat.NotebookNode) -> None:
    assert [file.name for file in Path(NOTEBOOK).parent.iterdir() if file.suffix != ".ipynb"] == []


def test_the_shipped_model_sees_the_cat_and_shows_where_it_looked(executed: nbformat.NotebookNode) -> None:
    assert "cat" in ast.literal_eval(_answer(executed, "draw_looks"))
    pictures = [
        output
        for cell in executed.cells
        if cell.cell_type == "code" and "looks.png" in cell.source
        for output in cell.outputs
        if output.output_type == "execute_result"
    ]
    assert "image/png" in pictures[-1].data
