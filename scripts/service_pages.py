"""Write what the page of each service says of its settings and metrics: `service_pages.py write`, or compare: `check`.

Both come from the code that a service runs: its settings classes, and every metric that its process defines.
"""

import argparse
import importlib
import pathlib
import subprocess
import sys

from cortex_runtime.settings_table import variables
from prometheus_client.metrics import MetricWrapperBase

SERVICES = pathlib.Path(__file__).resolve().parent.parent / "services"
BEGIN, END = "<!-- made by `make pages` -->\n", "<!-- to here -->\n"


def settings_table(service):
    yield "## Settings\n\n"
    yield f"As `python -m cortex_{service} settings` lists them too. What has no default must be set.\n\n"
    yield "| variable | it may be | default | what for |\n|---|---|---|---|\n"
    for each in variables(command_line(service).settings):
        default = "" if each.default is None else f"`{each.default}`"
        yield f"| `{each.name}` | {each.rule} | {default} | {each.meaning} |\n"


def metrics_table(service):
    command_line(service)
    yield "## Metrics\n\n"
    yield "On `/metrics` of the admin server, beside those of the Python process itself.\n\n"
    yield "| metric | kind | labels | what it tells |\n|---|---|---|---|\n"
    for name, kind, labels, told in sorted(metrics()):
        yield f"| `{name}` | {kind} | {labels} | {told} |\n"


def command_line(service):
    return importlib.import_module(f"cortex_{service}.__main__").COMMAND_LINE


def metrics():
    modules = [module for name, module in sorted(sys.modules.items()) if name.startswith("cortex_")]
    for metric in {value for module in modules for value in vars(module).values() if is_metric(value)}:
        (family,) = metric.describe()
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001 - no public way
        yield name, family.type, labels, family.documentation.removesuffix(".")


def is_metric(value):
    return isinstance(value, MetricWrapperBase)


def made(service):
    """The made part of a page. Each service in a process of its own, so that it has its own metrics only."""
    command = [sys.executable, __file__, "print", "--service", service]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=SERVICES.parent).stdout


def page(service):
    text = (SERVICES / service / "README.md").read_text()
    before, _, rest = text.partition(BEGIN)
    return before.rstrip("\n") + "\n\n" + BEGIN + "\n" + made(service) + "\n" + END + rest.partition(END)[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("write", "check", "print"))
    parser.add_argument("--service", help="with print: which")
    given = parser.parse_args()
    if given.what == "print":
        print("".join(settings_table(given.service)) + "\n" + "".join(metrics_table(given.service)), end="")
        return
    for service in sorted(path.parent.name for path in SERVICES.glob("*/README.md")):
        file = SERVICES / service / "README.md"
        wanted = page(service)
        if given.what == "write":
            file.write_text(wanted)
        elif file.read_text() != wanted:
            sys.exit(f"pages: services/{service}/README.md is not what the code says: run `make pages`")


if __name__ == "__main__":
    main()
