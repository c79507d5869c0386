"""Writes small ONNX graphs node by node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PRODUCER = "synthetic-test-pack"


class Graph:
    """Collects nodes and constants; each call returns the name of what it made."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._count = 0

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        self._count += 1
        name = f"c{self._count}"
        self._constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def op(self, kind: str, *inputs: str | float, out: str = "", **attributes: Any) -> str:
        names = [each if isinstance(each, str) else self.constant(each) for each in inputs]
        self._count += 1
        made = out or f"t{self._count}"
        # insightface guesses a model's preprocessing from names that begin with Sub or Mul.
        self._nodes.append(helper.make_node(kind, names, [made], name=f"n{self._count}_{kind}", **attributes))
        return made

    def column(self, matrix: str, index: int) -> str:
        return self.cut(matrix, [index], [index + 1], [1])

    def cut(self, tensor: str, begin: list[int], end: list[int], axes: list[int]) -> str:
        return self.op("Slice", tensor, *(self.constant(each, np.int64) for each in (begin, end, axes)))

    def shape(self, tensor: str, to: list[int], out: str = "") -> str:
        return self.op("Reshape", tensor, self.constant(to, np.int64), out=out)

    def save(
        self, path: Path, inputs: dict[str, list[Any]], outputs: dict[str, list[Any]], ir: int = 9
    ) -> None:
        def infos(named: dict[str, list[Any]]) -> list[Any]:
            return [helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in named.items()]

        graph = helper.make_graph(self._nodes, "g", infos(inputs), infos(outputs), self._constants)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=ir, producer_name=PRODUCER
        )
        onnx.checker.check_model(model)
        onnx.save(model, str(path))
