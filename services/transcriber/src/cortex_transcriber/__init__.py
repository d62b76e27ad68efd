"""Streams of speech in, utterances out."""

import cortex_transcriber.silent_onnxruntime  # noqa: F401 - it counts only before onnxruntime is there
