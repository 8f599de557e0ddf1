"""The notebook runs from top to bottom, in a folder of its own, and is committed without outputs."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.live_platform import ROOT

NOTEBOOK = ROOT / "classify-service" / "notebooks" / "train_your_own_labels.ipynb"
CELL_TIMEOUT_S = 240


@pytest.fixture
def notebook() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_it_is_committed_without_outputs(notebook: Any) -> None:
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_it_runs_from_pictures_to_a_prediction(notebook: Any, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        # nbclient, jupyter_client and pyzmq warn of their own ways with event loops and ports; not ours to mend.
        for module in ("nbclient", "jupyter_client", "jupyter_core", "zmq"):
            warnings.filterwarnings("ignore", module=module)
        from nbclient import NotebookClient

        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT_S,
            kernel_name="python3",
            resources={"metadata": {"path": str(tmp_path)}},
        )
        client.execute()

    text = "\n".join(
        str(output.get("text", output.get("data", {}).get("text/plain", "")))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    assert "Written to notebook-labels" in text
    for label in ("blobs", "columns", "stripes", "words"):
        assert f"'{label}': ('" in text
    drawn = [
        output for cell in notebook.cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
    ]
    assert len(drawn) == 3
    assert (tmp_path / "notebook-labels" / "manifest.json").is_file()
