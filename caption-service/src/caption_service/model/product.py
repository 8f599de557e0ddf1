"""Products of a few rows with a matrix of weights, as a decoder makes them for each word, by ncnn.

Reading the weights takes more time than multiplying, so they are read once for eight rows, in the precision in which
they are stored. ncnn does the former where the rows' number is divisible by eight, or by four, and the columns' by
sixteen.
"""

from __future__ import annotations

import numpy as np

from shared.convolution_network import Floats, Layers

LANES, FEW_LANES = 8, 4
"""Rows that are computed together."""
ALONE = 2
"""So many left over are computed faster one by one."""
COLUMNS = 16


class Product:
    """Multiplies rows with weights, and adds a bias, on the thread that asks; several may ask at a time."""

    def __init__(self, kernel: Floats, bias: Floats | None = None) -> None:
        """Take (numbers before, numbers) and (numbers,)."""
        before, self._columns = kernel.shape
        whole = np.zeros((before, self._columns + -self._columns % COLUMNS), np.float32)
        whole[:, : self._columns] = kernel
        shift = np.zeros(whole.shape[1], np.float32)
        if bias is not None:
            shift[: self._columns] = bias
        layers = Layers()
        layers.dense("product", whole, shift)
        self._network = layers.network("product", threads=1)

    def __call__(self, rows: Floats) -> Floats:
        """Return (rows, numbers) for (rows, numbers before)."""
        left = len(rows) % LANES
        alone = left if left <= ALONE else 0
        together, rest = rows[: len(rows) - alone], rows[len(rows) - alone :]
        parts = [self._network.maps(row[None])[0] for row in rest]
        if len(together):
            parts.insert(0, self._of_many(together))
        found = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return found[:, : self._columns]

    def _of_many(self, rows: Floats) -> Floats:
        count = len(rows)
        missing = -count % (FEW_LANES if count <= FEW_LANES else LANES)
        if missing:
            rows = np.concatenate([rows, np.zeros((missing, rows.shape[1]), np.float32)])
        return self._network.maps(rows)[0][:count]
