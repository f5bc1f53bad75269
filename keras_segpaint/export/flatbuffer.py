"""LiteRT files as objects that can be changed."""

from types import ModuleType
from typing import Any

from keras_segpaint.extras import require

__all__ = ["packed", "schema", "unpacked"]


def schema() -> ModuleType:
    """The classes of which a file consists."""
    return require("ai_edge_litert.schema_py_generated", "export", "Reading a LiteRT file")


def unpacked(content: bytes) -> Any:
    """A file's content as a `ModelT`."""
    classes = schema()
    return classes.ModelT.InitFromObj(classes.Model.GetRootAsModel(content, 0))


def packed(model: Any) -> bytes:
    """The content of a file that holds a `ModelT`."""
    flatbuffers = require("flatbuffers", "export", "Writing a LiteRT file")
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
