-- What is spoken in a session, see read_models/sessions.py. Sessions of older releases say nothing about it.

ALTER TABLE sessions ADD COLUMN language text NOT NULL DEFAULT '';
