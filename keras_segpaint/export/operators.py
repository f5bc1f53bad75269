"""One operator of a LiteRT file as a file of its own, to time it."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from keras_segpaint.export.flatbuffer import packed, schema, unpacked

__all__ = ["Cut", "cut", "operator_kinds", "operator_names"]


@dataclass(frozen=True)
class Cut:
    """A file with one operator, and those operators of the whole file that do the same on the same sizes.

    Args:
        path: The file, `None` if the operator cannot run alone.
        kind: Its name, such as `"CONV_2D"`.
        positions: The positions of the operators in the whole file.
    """

    path: Path | None
    kind: str
    positions: tuple[int, ...]


def operator_kinds(content: bytes) -> list[str]:
    """The kinds of operators that a file knows, by the numbers that its operators have; those outside of LiteRT by their own name.

    Args:
        content: A LiteRT file.
    """
    classes = schema()
    builtin = {code: name for name, code in vars(classes.BuiltinOperator).items() if not name.startswith("_")}
    model = classes.Model.GetRootAsModel(content, 0)
    names = []
    for index in range(model.OperatorCodesLength()):
        code = model.OperatorCodes(index)
        custom = code.CustomCode()
        # Codes below 127 are stored in the older field, so that old programs can read the file.
        names.append(custom.decode() if custom else builtin[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())])
    return names


def operator_names(content: bytes) -> list[str]:
    """The name of every operator of the first graph of a file, in their order; those outside of LiteRT by their own name.

    Args:
        content: A LiteRT file.
    """
    kinds = operator_kinds(content)
    graph = schema().Model.GetRootAsModel(content, 0).Subgraphs(0)
    return [kinds[graph.Operators(index).OpcodeIndex()] for index in range(graph.OperatorsLength())]


def cut(content: bytes, folder: Path) -> list[Cut]:
    """Writes each operator as a file of its own, equal ones once.

    Constants stay constants. What is computed of constants alone, as the float32 weights of a float16 file, is done once when
    a file is loaded, so it goes along with the operator that takes it and is no cut of its own.

    Args:
        content: A LiteRT file.
        folder: Where the files go.
    """
    classes = schema()
    model = unpacked(content)
    graph = model.subgraphs[0]
    kinds = operator_kinds(content)
    constant = {index for index, tensor in enumerate(graph.tensors) if _has_data(model.buffers[tensor.buffer])}
    folded: dict[int, int] = {}
    for position, operator in enumerate(graph.operators):
        taken = [int(tensor) for tensor in operator.inputs if tensor >= 0]
        if taken and all(tensor in constant or tensor in folded for tensor in taken):
            folded.update({int(tensor): position for tensor in operator.outputs})
    inside = set(folded.values())
    groups: dict[str, list[int]] = defaultdict(list)
    for position, operator in enumerate(graph.operators):
        if position not in inside:
            groups[_signature(graph, operator, constant, folded)].append(position)
    cuts = []
    for positions in groups.values():
        kind = kinds[graph.operators[positions[0]].opcodeIndex]
        path = None
        # Operators that call other graphs of the file, as a loop does, need those.
        if kind not in _CALLS_GRAPHS and not any(
            graph.tensors[i].isVariable for i in graph.operators[positions[0]].inputs
        ):
            path = folder / f"{positions[0]}.tflite"
            path.write_bytes(_alone(classes, model, positions[0], constant, folded))
        cuts.append(Cut(path, kind, tuple(positions)))
    return cuts


_CALLS_GRAPHS = ("CALL", "CALL_ONCE", "IF", "WHILE", "STABLEHLO_COMPOSITE")


def _has_data(buffer: Any) -> bool:
    return buffer.data is not None and len(buffer.data) > 0


def _signature(graph: Any, operator: Any, constant: set[int], folded: dict[int, int]) -> str:
    """What the time of an operator depends on: its kind, its options, and the kinds and sizes of its tensors."""

    def described(index: int) -> tuple[Any, ...]:
        if index < 0:
            return ()
        tensor = graph.tensors[index]
        return tuple(np.asarray(tensor.shape).tolist()), tensor.type, index in constant or index in folded

    options = sorted(vars(operator.builtinOptions).items()) if operator.builtinOptions is not None else []
    tensors = [described(index) for index in operator.inputs], [described(index) for index in operator.outputs]
    return repr((operator.opcodeIndex, [(name, str(value)) for name, value in options], tensors))


def _alone(schema: ModuleType, model: Any, position: int, constant: set[int], folded: dict[int, int]) -> bytes:
    graph = model.subgraphs[0]
    positions = _with_folded(graph, position, folded)
    operators = [graph.operators[index] for index in positions]
    tensors: dict[int, int] = {}
    for operator in operators:
        for tensor in (*operator.inputs, *operator.outputs):
            if tensor >= 0:
                tensors.setdefault(int(tensor), len(tensors))
    alone = schema.ModelT()
    alone.version = model.version
    alone.operatorCodes = model.operatorCodes
    # The first buffer is the empty one of all tensors that are computed.
    alone.buffers = [schema.BufferT()]
    part = schema.SubGraphT()
    part.tensors = []
    for index in tensors:
        tensor = _copied(schema.TensorT(), graph.tensors[index])
        tensor.buffer = 0
        if index in constant:
            tensor.buffer = len(alone.buffers)
            alone.buffers.append(model.buffers[graph.tensors[index].buffer])
        part.tensors.append(tensor)
    part.operators = []
    for operator in operators:
        copy = _copied(schema.OperatorT(), operator)
        copy.inputs = [tensors[int(tensor)] if tensor >= 0 else -1 for tensor in operator.inputs]
        copy.outputs = [tensors[int(tensor)] for tensor in operator.outputs]
        part.operators.append(copy)
    last = graph.operators[position]
    given = dict.fromkeys(int(tensor) for tensor in last.inputs if tensor >= 0)
    part.inputs = [tensors[tensor] for tensor in given if tensor not in constant and tensor not in folded]
    part.outputs = [tensors[int(tensor)] for tensor in last.outputs]
    alone.subgraphs = [part]
    return packed(alone)


def _with_folded(graph: Any, position: int, folded: dict[int, int]) -> list[int]:
    """The operator and what computes its constants, in their order."""
    wanted, found = [position], set()
    while wanted:
        found.add(current := wanted.pop())
        wanted += [folded[int(tensor)] for tensor in graph.operators[current].inputs if int(tensor) in folded]
    return sorted(found)


def _copied(target: Any, source: Any) -> Any:
    vars(target).update(vars(source))
    return target
