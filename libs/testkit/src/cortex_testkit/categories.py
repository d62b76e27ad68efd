"""Every test module has exactly one category, and every test says in a sentence what it shows."""

CATEGORIES = {
    "unit": "no server, no process, no file outside the test's own folder",
    "integration": "one part with the real servers",
    "e2e": "whole services together",
    "faults": "something is killed, cut off or wiped",
    "architecture": "who may import whom, and the shape of the repository",
    "contracts": "protos, options and golden files",
    "model": "the shipped speech model hears",
}
