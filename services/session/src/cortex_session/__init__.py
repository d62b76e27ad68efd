"""Transcription sessions of voice rooms: messages, attendance."""
