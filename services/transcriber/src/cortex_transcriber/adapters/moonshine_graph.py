"""Moonshine's decoder in few operators, made of the weights of its exported graph, which says the same in many.

The export spends two thirds of a step on some six hundred operators that work out shapes, rotate and pad, for batches,
several tokens at once and masks. Here one token of one utterance goes through:

- With one token its heads lie in memory as attention wants them; nothing is transposed, and no mask is needed.
- Query, key and value are one product; each column keeps the scale and the zero point of its weight.
- Rotary embedding: what turns with the position is a row of two tables, and which pairs turn a constant matrix.
- The most likely token and its log-probability are found where the logits are, not copied out of there.
- The loop over the tokens is part of the graph: one call an utterance, in which no other thread waits for Python.

The products, their int8 weights and the scaling of what goes in stay those of the export, so tokens stay the same:
`tests/integration/test_moonshine_graph.py` compares both.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import helper, numpy_helper, parser

from cortex_transcriber.adapters.moonshine_tokenizer import END, START
from cortex_transcriber.adapters.onnx_sessions import session_options

MOST_TOKENS: Final = 512
"""Positions that the tables have: 79 s of the fastest speech, far beyond the longest utterance."""

CACHES: Final = ("keys", "values")

PREFIX: Final = "/model/decoder"

OPSETS: Final = '<ir_version: 10, opset_import: ["" : 18, "com.microsoft" : 1]>'

LAYER: Final = """
    normal@ = LayerNormalization<axis=-1, epsilon=0.00001>(state@, before@)
    qkv@ = com.microsoft.DynamicQuantizeMatMul(normal@, qkv@_weight, qkv@_scale, qkv@_zero)
    heads@ = Reshape(qkv@, as_heads)
    turning@, value@ = Split<axis=1>(heads@, two_to_one)
    turned@ = MatMul(turning@, turn)
    along@ = Mul(turning@, cosine)
    across@ = Mul(turned@, sine)
    placed@ = Add(along@, across@)
    query@, key@ = Split<axis=1>(placed@, one_to_one)
    keys@_out = Concat<axis=2>(keys@, key@)
    values@_out = Concat<axis=2>(values@, value@)
    scores@ = com.microsoft.FusedMatMul<transB=1, alpha=SCALE>(query@, keys@_out)
    attention@ = Softmax<axis=-1>(scores@)
    seen@ = MatMul(attention@, values@_out)
    row@ = Reshape(seen@, as_row)
    own@ = com.microsoft.DynamicQuantizeMatMul(row@, own@_weight, own@_scale, own@_zero)
    after_own@ = Add(state@, own@)
    normal2@ = LayerNormalization<axis=-1, epsilon=0.00001>(after_own@, between@)
    asked@ = com.microsoft.DynamicQuantizeMatMul(normal2@, ask@_weight, ask@_scale, ask@_zero)
    asked_heads@ = Reshape(asked@, as_heads)
    scores2@ = com.microsoft.FusedMatMul<transB=1, alpha=SCALE>(asked_heads@, audio_keys@)
    attention2@ = Softmax<axis=-1>(scores2@)
    heard@ = MatMul(attention2@, audio_values@)
    row2@ = Reshape(heard@, as_row)
    told@ = com.microsoft.DynamicQuantizeMatMul(row2@, tell@_weight, tell@_scale, tell@_zero)
    after_heard@ = Add(after_own@, told@)
    normal3@ = LayerNormalization<axis=-1, epsilon=0.00001>(after_heard@, after@)
    wide@ = com.microsoft.DynamicQuantizeMatMul(normal3@, wide@_weight, wide@_scale, wide@_zero, wide@_bias)
    content@, gate@ = Split<axis=-1, num_outputs=2>(wide@)
    open@ = com.microsoft.QuickGelu<alpha=1.0>(gate@)
    gated@ = Mul(content@, open@)
    narrow@ = com.microsoft.DynamicQuantizeMatMul(gated@, narrow@_weight, narrow@_scale, narrow@_zero, narrow@_bias)
    state# = Add(after_heard@, narrow@)
"""

FIRST: Final = """
    embedded = Gather<axis=0>(embeddings, token)
    state0 = DequantizeLinear(embedded, embeddings_scale, embeddings_zero)
    position = Reshape(number, as_one)
    cosine = Gather<axis=0>(cosines, position)
    sine = Gather<axis=0>(sines, position)
"""

LAST: Final = """
    normal = LayerNormalization<axis=-1, epsilon=0.00001>(state#, last)
    logits = com.microsoft.DynamicQuantizeMatMul(normal, words_weight, words_scale, words_zero)
    next_token = ArgMax<axis=-1, keepdims=0>(logits)
    highest = ReduceMax<keepdims=0>(logits)
    lowered = Sub(logits, highest)
    odds = Exp(lowered)
    sum = ReduceSum<keepdims=0>(odds)
    surprise = Log(sum)
    sure = Neg(surprise)
    said = Identity(next_token)
    is_end = Equal(next_token, end)
    goes_on = Not(is_end)
    go_on = Reshape(goes_on, as_none)
"""

AUDIO_LAYER: Final = """
    k@ = com.microsoft.MatMulIntegerToFloat(levels, kv_key@_weight, scale, kv_key@_scale, zero, kv_key@_zero)
    v@ = com.microsoft.MatMulIntegerToFloat(levels, kv_value@_weight, scale, kv_value@_scale, zero, kv_value@_zero)
    k_heads@ = Reshape(k@, as_frames)
    v_heads@ = Reshape(v@, as_frames)
    audio_keys@ = Transpose<perm=[0, 2, 1, 3]>(k_heads@)
    audio_values@ = Transpose<perm=[0, 2, 1, 3]>(v_heads@)
"""

Array = npt.NDArray[Any]


class UnfamiliarGraph(Exception):
    """A graph that this module cannot rewrite; it may work as it is."""


def rewritten(path: Path) -> bytes:
    """The decoder of an export, merged of a first and later steps, as a model of its own.

    Returns:
        A model from `states` [1, frames, width], which the encoder made, and `limit`, the most tokens [], to `tokens`
        [n, 1, 1] and `log_probabilities` [n]. The last token is that of the end, unless the limit was reached.

    Raises:
        UnfamiliarGraph: it does not name what it does as an export of Moonshine does.
    """
    try:
        weights = _Weights(_exported(path))
        model = _hearing(weights)
        model.graph.node.append(_loop(weights, _step(weights)))
    except (KeyError, ValueError, StopIteration) as missing:
        raise UnfamiliarGraph(f"{path.name}: {missing!r}") from missing
    return model.SerializeToString()


def _hearing(weights: "_Weights") -> onnx.ModelProto:
    """What the audio contributes to every step, once; the loop is still missing."""
    given = f"float[1, frames, {weights.width}] states, int64 limit"
    text = [
        f"{OPSETS} decode ({given}) => (int64[n, 1, 1] tokens, float[n] log_probabilities) {{",
        "levels, scale, zero = DynamicQuantizeLinear(states)",
        *(_numbered(AUDIO_LAYER, layer, weights.head_size) for layer in range(weights.layers)),
        "}",
    ]
    start = {
        "go": np.array(True),
        "start": np.array([[START]]),
        "nothing": np.zeros((1, weights.heads, 0, weights.head_size), dtype=np.float32),
    }
    return _model(text, {**weights.of_audio(), **start})


def _step(weights: "_Weights") -> onnx.GraphProto:
    """One token more; keys and values of the audio come from around it."""
    shape = f"1, {weights.heads}, %s, {weights.head_size}"
    caches = [f"float[{shape % 'past'}] {name}" for name in weights.each(*CACHES)]
    longer = [f"float[{shape % 'longer'}] {name}_out" for name in weights.each(*CACHES)]
    text = [
        f"{OPSETS} step (int64 number, bool go_in, int64[1, 1] token, {', '.join(caches)})",
        f"=> (bool go_on, int64[1, 1] next_token, {', '.join(longer)}, int64[1, 1] said, float sure) {{{FIRST}",
        *(_numbered(LAYER, layer, weights.head_size) for layer in range(weights.layers)),
        _numbered(LAST, weights.layers - 1, weights.head_size) + "}",
    ]
    return _model(text, weights.of_step()).graph


def _loop(weights: "_Weights", step: onnx.GraphProto) -> onnx.NodeProto:
    caches = weights.each(*CACHES)
    return helper.make_node(
        "Loop",
        ["limit", "go", "start", *("nothing" for _ in caches)],
        ["last_token", *(f"{name}_last" for name in caches), "tokens", "log_probabilities"],
        body=step,
    )


def _numbered(text: str, layer: int, head_size: int) -> str:
    return text.replace("SCALE", repr(head_size**-0.5)).replace("@", str(layer)).replace("#", str(layer + 1))


def _model(text: Sequence[str], tensors: Mapping[str, Array]) -> onnx.ModelProto:
    model = parser.parse_model("\n".join(text))
    model.graph.initializer.extend(
        numpy_helper.from_array(np.asarray(array, order="C"), name) for name, array in tensors.items()
    )
    return model


def _exported(path: Path) -> onnx.GraphProto:
    """The graph of a file in onnxruntime's own format, which only onnxruntime reads."""
    options = session_options()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.save_model_format", "ONNX")
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "decoder.onnx"
        options.optimized_model_filepath = str(written)
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return onnx.load(written).graph


class _Weights:
    """The weights of an export, found by what the graph does with them."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        (choice,) = [node for node in graph.node if node.op_type == "If"]
        branches = {attribute.name: attribute.g for attribute in choice.attribute}
        later, first = branches["then_branch"], branches["else_branch"]
        self._tensors = {item.name: item for part in (graph, first, later) for item in part.initializer}
        self._makers = {node.output[0]: node for part in (later, first) for node in part.node}
        cache = next(given for given in graph.input if given.name == "past_key_values.0.decoder.key")
        _, heads, _, size = (dimension.dim_value for dimension in cache.type.tensor_type.shape.dim)
        self.heads, self.head_size, self.width = heads, size, heads * size
        self.layers = sum(given.name.endswith(".decoder.key") for given in graph.input)

    def each(self, *names: str) -> list[str]:
        """These names with the number of each layer."""
        return [f"{name}{layer}" for layer in range(self.layers) for name in names]

    def of_step(self) -> Mapping[str, Array]:
        """All of the graph of a step."""
        embedding = self._makers[f"{PREFIX}/embed_tokens/Gather_output_0_quantized"].input[0]
        stem = embedding.removesuffix("_quantized")
        tensors = {
            "embeddings": self._tensor(embedding),
            "embeddings_scale": self._tensor(f"{stem}_scale"),
            "embeddings_zero": self._tensor(f"{stem}_zero_point"),
            "last": self._norm(f"{PREFIX}/norm"),
            **self._product("words", "logits"),
            **self._turning(),
            "end": np.array([[END]]),
            "as_one": np.array([1]),
            "as_none": np.array([], dtype=np.int64),
            "as_heads": np.array([1, -1, 1, self.head_size]),
            "as_row": np.array([1, 1, self.width]),
            "two_to_one": np.array([2 * self.heads, self.heads]),
            "one_to_one": np.array([self.heads, self.heads]),
        }
        for layer in range(self.layers):
            tensors.update(self._of_layer(layer, f"{PREFIX}/layers.{layer}"))
        return tensors

    def of_audio(self) -> Mapping[str, Array]:
        """All of the graph of the audio."""
        tensors: dict[str, Array] = {"as_frames": np.array([1, -1, self.heads, self.head_size])}
        for layer in range(self.layers):
            for name in ("key", "value"):
                product = f"{PREFIX}/layers.{layer}/encoder_attn/{name[0]}_proj/MatMul_output_0"
                tensors.update(self._product(f"kv_{name}{layer}", product))
        return tensors

    def _of_layer(self, layer: int, place: str) -> Mapping[str, Array]:
        return {
            f"before{layer}": self._norm(f"{place}/input_layernorm"),
            f"between{layer}": self._norm(f"{place}/post_attention_layernorm"),
            f"after{layer}": self._norm(f"{place}/final_layernorm"),
            **self._side_by_side(f"qkv{layer}", [f"{place}/self_attn/{name}_proj/MatMul_output_0" for name in "qkv"]),
            **self._product(f"own{layer}", f"{place}/self_attn/o_proj/MatMul_output_0"),
            **self._product(f"ask{layer}", f"{place}/encoder_attn/q_proj/MatMul_output_0"),
            **self._product(f"tell{layer}", f"{place}/encoder_attn/o_proj/MatMul_output_0"),
            **self._product(f"wide{layer}", f"{place}/mlp/fc1/Add_output_0"),
            **self._product(f"narrow{layer}", f"{place}/mlp/fc2/Add_output_0"),
        }

    def _side_by_side(self, name: str, outputs: Sequence[str]) -> Mapping[str, Array]:
        """Products of the same row as one; each column keeps its scale and zero point."""
        parts = [self._product("part", output) for output in outputs]
        columns = [part["part_weight"].shape[1] for part in parts]
        joined = {f"{name}_weight": np.concatenate([part["part_weight"] for part in parts], axis=1)}
        for kind in ("scale", "zero"):
            joined[f"{name}_{kind}"] = np.repeat([part[f"part_{kind}"] for part in parts], columns)
        return joined

    def _product(self, name: str, output: str) -> Mapping[str, Array]:
        """The int8 weight of a product, its scale and zero point, and the bias where it has one."""
        maker = self._makers[output]
        weight = next(given for given in maker.input if given.endswith("_quantized") and given in self._tensors)
        stem = weight.removesuffix("_quantized")
        tensors = {
            f"{name}_weight": self._tensor(weight),
            f"{name}_scale": self._tensor(f"{stem}_scale"),
            f"{name}_zero": self._tensor(f"{stem}_zero_point"),
        }
        bias = [given for given in maker.input if ".bias" in given]
        return {**tensors, f"{name}_bias": self._tensor(bias[0])} if bias else tensors

    def _norm(self, place: str) -> Array:
        return self._tensor(self._makers[f"{place}/LayerNormalization_output_0"].input[1])

    def _turning(self) -> Mapping[str, Array]:
        """Tables of the rotary embedding: what each position multiplies, pairs of neighbours turning alike."""
        frequencies = self._tensor(self._makers[f"{PREFIX}/rotary_emb/Expand_output_0"].input[0]).reshape(-1)
        turned = 2 * len(frequencies)
        angles = np.repeat(np.arange(MOST_TOKENS, dtype=np.float32)[:, np.newaxis] * frequencies, 2, axis=1)
        cosines = np.ones((MOST_TOKENS, self.head_size), dtype=np.float32)
        sines = np.zeros_like(cosines)
        cosines[:, :turned], sines[:, :turned] = np.cos(angles), np.sin(angles)
        turn = np.zeros((self.head_size, self.head_size), dtype=np.float32)
        even = np.arange(0, turned, 2)
        turn[even + 1, even], turn[even, even + 1] = -1, 1
        return {"cosines": cosines, "sines": sines, "turn": turn}

    def _tensor(self, name: str) -> Array:
        tensor: Array = numpy_helper.to_array(self._tensors[name])
        return tensor
