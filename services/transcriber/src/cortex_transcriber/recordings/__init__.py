"""Whole recordings in, utterances out; nothing is stored."""
