"""Streams of speech in, utterances out."""
