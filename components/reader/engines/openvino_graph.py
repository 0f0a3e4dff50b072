"""The packed encoder's arithmetic as an OpenVINO graph, built from the checkpoint itself: no export, no tracing."""

from typing import TYPE_CHECKING, Any

import numpy as np

from components.encoder.checkpoint import Checkpoint

if TYPE_CHECKING:
    import openvino as ov


def span_model(checkpoint: Checkpoint) -> "ov.Model":
    """
    A padded span model.

    Inputs ``ids``, ``types``, ``positions`` int32 (sequences, length) and ``mask`` float32 (sequences, 1, 1, length):
    0 at a token, -inf or a large negative number at padding. Output (sequences, length, 2): start and end logits.

    :raises ValueError: the checkpoint has no question-answering head.
    """
    import openvino as ov
    from openvino import opset13 as op

    config, tensors = checkpoint.config, {name: value.numpy() for name, value in checkpoint.tensors.items()}
    if "span.weight" not in tensors:
        raise ValueError("This checkpoint has no span head (qa_outputs): use a question-answering model.")

    def linear(x: Any, name: str) -> Any:
        product = op.matmul(x, op.constant(tensors[f"{name}.weight"]), False, True)
        return op.add(product, op.constant(tensors[f"{name}.bias"]))

    def norm(x: Any, name: str) -> Any:
        even = op.mvn(x, op.constant(np.array([-1])), True, config.eps, "INSIDE_SQRT")
        return op.add(op.multiply(even, op.constant(tensors[f"{name}.weight"])), op.constant(tensors[f"{name}.bias"]))

    def look_up(name: str, indices: Any) -> Any:
        return op.gather(op.constant(tensors[name]), indices, op.constant(np.array(0)))

    ids, types, positions = (op.parameter([-1, -1], np.int32, name=name) for name in ("ids", "types", "positions"))
    mask = op.parameter([-1, 1, 1, -1], np.float32, name="mask")
    x = op.add(look_up("words", ids), look_up("positions", positions))
    # Types stay an input for every family, so that the engine feeds all alike; one row means that all are 0.
    table = tensors.get("types", np.zeros((1, tensors["words"].shape[1]), dtype=np.float32))
    kinds = op.minimum(types, op.constant(np.array(len(table) - 1, dtype=np.int32)))
    x = norm(op.add(x, op.gather(op.constant(table), kinds, op.constant(np.array(0)))), "embed_norm")
    if "project.weight" in tensors:
        x = linear(x, "project")
    size = config.hidden // config.heads
    for number in range(config.layers):
        heads = []
        for part in range(3):
            rows = slice(part * config.hidden, (part + 1) * config.hidden)
            weight, bias = tensors[f"{number}.qkv.weight"][rows], tensors[f"{number}.qkv.bias"][rows]
            y = op.add(op.matmul(x, op.constant(weight), False, True), op.constant(bias))
            split = op.reshape(y, op.constant(np.array([0, 0, config.heads, size])), True)
            heads.append(op.transpose(split, op.constant(np.array([0, 2, 1, 3]))))
        scores = op.softmax(op.add(op.matmul(heads[0], heads[1], False, True), mask), -1)
        joined = op.transpose(op.matmul(scores, heads[2], False, False), op.constant(np.array([0, 2, 1, 3])))
        attended = op.reshape(joined, op.constant(np.array([0, 0, config.hidden])), True)
        x = norm(op.add(x, linear(attended, f"{number}.out")), f"{number}.norm1")
        inner = linear(x, f"{number}.up")
        if config.activation == "relu":
            inner = op.relu(inner)
        else:
            inner = op.gelu(inner, "tanh" if config.activation == "gelu_tanh" else "erf")
        x = norm(op.add(x, linear(inner, f"{number}.down")), f"{number}.norm2")
    return ov.Model([op.result(linear(x, "span"))], [ids, types, positions, mask], "spans")
