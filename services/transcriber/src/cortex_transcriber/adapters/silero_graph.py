"""Silero VAD's network in an order of work that suits many chunks at once; the weights stay those of the wheel.

The wheel's graph does everything chunk by chunk. Only its LSTM needs the order of the chunks: all before it is done for
every chunk of a call together, as a few matrix products over all of them. Three identities make these cheaper:

- The spectrum's basis is a windowed cosine and sine, even and odd around sample 128 of its 256, and zero at sample 0.
  So a frame is folded first, samples 1 to 128 over 255 to 128, the sum for the cosines and the difference for the
  sines: half the products.
- Convolutions of width 3 over four, two and one frames are products with small matrices, where what lies outside of
  the frames takes no part.
- All streams' steps go through one LSTM operator, padded at the end to the longest run of a stream.

Probabilities differ from those of the wheel's graph by 1e-5 at most, states handed on through whole conversations
(measured by the bench `vad`): the same sums in another order.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper, parser

from cortex_transcriber.speech.decoding import FULL_SCALE

PREFIX: Final = "model."
"""What the names of the wheel's weights begin with."""

HALF: Final = 128
"""Half of a frame of the spectrum, and the step from one to the next."""

HIDDEN: Final = 128

SHAPES: Final = {
    "stft.forward_basis_buffer": (258, 1, 256),
    "encoder.0.reparam_conv.weight": (128, 129, 3),
    "encoder.0.reparam_conv.bias": (128,),
    "encoder.1.reparam_conv.weight": (64, 128, 3),
    "encoder.1.reparam_conv.bias": (64,),
    "encoder.2.reparam_conv.weight": (64, 64, 3),
    "encoder.2.reparam_conv.bias": (64,),
    "encoder.3.reparam_conv.weight": (128, 64, 3),
    "encoder.3.reparam_conv.bias": (128,),
    "decoder.rnn.weight_ih": (512, 128),
    "decoder.rnn.weight_hh": (512, 128),
    "decoder.rnn.bias_ih": (512,),
    "decoder.rnn.bias_hh": (512,),
    "decoder.decoder.2.weight": (1, 128, 1),
    "decoder.decoder.2.bias": (1,),
}
"""The weights of Silero VAD 5 and 6."""

GRAPH: Final = """
<ir_version: 8, opset_import: ["" : 17]>
silero (int16[chunks, 576] rows, int64[steps, streams] order, int32[streams] lengths,
        float[1, streams, 128] h, float[1, streams, 128] c)
    => (float[steps, 1, streams, 1] probabilities, float[1, streams, 128] next_h, float[1, streams, 128] next_c)
{
    samples = Cast<to=1>(rows)
    mirrored = Slice(samples, mirror_from, mirror_to, dim1, backwards)
    padded = Concat<axis=1>(samples, mirrored)
    firsts = Slice(padded, at1, at513, dim1)
    seconds = Slice(padded, at128, at640, dim1)
    rising = Reshape(firsts, as_frames)
    second_halves = Reshape(seconds, as_frames)
    falling = Slice(second_halves, last, before_all, dim2, backwards)
    even = Add(rising, falling)
    odd = Sub(rising, falling)
    real = MatMul(even, cosines)
    imaginary = MatMul(odd, sines)
    real2 = Mul(real, real)
    imaginary2 = Mul(imaginary, imaginary)
    power = Add(real2, imaginary2)
    spectrum = Sqrt(power)
    framed = Pad(spectrum, one_frame_each_side)
    before = Slice(framed, at0, at4, dim1)
    after = Slice(framed, at2, at6, dim1)
    triples = Concat<axis=2>(before, spectrum, after)
    columns = Reshape(triples, as_columns)
    a1 = Gemm(columns, weight1, bias1)
    r1 = Relu(a1)
    c1 = Reshape(r1, as_chunks)
    a2 = Gemm(c1, weight2, bias2)
    r2 = Relu(a2)
    a3 = Gemm(r2, weight3, bias3)
    r3 = Relu(a3)
    a4 = Gemm(r3, weight4, bias4)
    r4 = Relu(a4)
    encoded = Gather<axis=0>(r4, order)
    hidden, next_h, next_c = LSTM<hidden_size=128>(encoded, input_weight, recurrent_weight, gate_bias, lengths, h, c)
    voiced = Relu(hidden)
    weighed = MatMul(voiced, output_weight)
    logit = Add(weighed, output_bias)
    probabilities = Sigmoid(logit)
}
"""

Array = npt.NDArray[Any]


def rearranged(path: Path) -> bytes:
    """The network of the wheel's file for 16 kHz as a model with the inputs and outputs of `GRAPH`.

    Raises:
        KeyError: the file has other weights.
        ValueError: weights of other shapes.
    """
    weights = {
        item.name.removeprefix(PREFIX): numpy_helper.to_array(item) for item in onnx.load(path).graph.initializer
    }
    for name, shape in SHAPES.items():
        if weights[name].shape != shape:
            raise ValueError(f"{name}: {weights[name].shape} instead of {shape}")
    model = parser.parse_model(GRAPH)
    tensors = {**_positions(), **_spectrum(weights), **_convolutions(weights), **_memory(weights)}
    model.graph.initializer.extend(
        numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in tensors.items()
    )
    return model.SerializeToString()


def _positions() -> Mapping[str, Array]:
    """Where slices begin and end, and shapes: [chunks, samples], then [chunks, 4 frames, half a frame]."""
    at = {f"at{index}": [index] for index in (0, 1, 2, 4, 6, 128, 513, 640)}
    others = {
        "dim1": [1],
        "dim2": [2],
        "backwards": [-1],
        "last": [-1],
        "before_all": [-(HALF + 1)],
        "mirror_from": [574],
        "mirror_to": [510],
        "as_frames": [-1, 4, HALF],
        "as_columns": [-1, 3 * (HALF + 1)],
        "as_chunks": [-1, 4 * HIDDEN],
        "one_frame_each_side": [0, 1, 0, 0, 1, 0],
    }
    return {name: np.array(values) for name, values in {**at, **others}.items()}


def _spectrum(weights: Mapping[str, Array]) -> Mapping[str, Array]:
    """Half of the basis, which also brings the samples to -1 to 1 (exact: a power of two)."""
    basis = weights["stft.forward_basis_buffer"][:, 0, 1 : HALF + 1] / np.float32(FULL_SCALE)
    basis[:, -1] /= 2  # the middle is folded onto itself
    return {"cosines": basis[: HALF + 1].T, "sines": basis[HALF + 1 :].T}


def _convolutions(weights: Mapping[str, Array]) -> Mapping[str, Array]:
    kernels = [weights[f"encoder.{layer}.reparam_conv.weight"] for layer in range(4)]
    biases = [weights[f"encoder.{layer}.reparam_conv.bias"] for layer in range(4)]
    outputs, inputs, width = kernels[0].shape
    return {
        "weight1": kernels[0].transpose(2, 1, 0).reshape(width * inputs, outputs),
        "weight2": _as_matrix(kernels[1], frames=4),
        "weight3": _as_matrix(kernels[2], frames=2),
        "weight4": _as_matrix(kernels[3], frames=1),
        "bias1": biases[0],
        "bias2": np.tile(biases[1], 2),
        "bias3": biases[2],
        "bias4": biases[3],
    }


def _as_matrix(kernel: Array, frames: int) -> Array:
    """A convolution of width 3, a frame of padding at each end and every second frame put out, as one matrix."""
    outputs, inputs, width = kernel.shape
    later = -(-frames // 2)
    matrix = np.zeros((frames, inputs, later, outputs), dtype=np.float32)
    for to in range(later):
        for tap in range(width):
            source = 2 * to + tap - 1
            if 0 <= source < frames:
                matrix[source, :, to] = kernel[:, :, tap].T
    return matrix.reshape(frames * inputs, later * outputs)


def _memory(weights: Mapping[str, Array]) -> Mapping[str, Array]:
    """The LSTM, whose gates ONNX wants in another order, and the output layer."""
    incoming, forgetting, cell, outgoing = np.arange(4 * HIDDEN).reshape(4, HIDDEN)
    gates = np.concatenate([incoming, outgoing, forgetting, cell])
    biases = [weights[f"decoder.rnn.bias_{side}"][gates] for side in ("ih", "hh")]
    return {
        "input_weight": weights["decoder.rnn.weight_ih"][gates][np.newaxis],
        "recurrent_weight": weights["decoder.rnn.weight_hh"][gates][np.newaxis],
        "gate_bias": np.concatenate(biases)[np.newaxis],
        "output_weight": weights["decoder.decoder.2.weight"].reshape(HIDDEN, 1),
        "output_bias": weights["decoder.decoder.2.bias"],
    }
