"""Generate libs/contracts from protos/, or check that protos/ is linted, compatible and what the code came from.

`generate` writes the code anew. `check` lints, compares with the released image, and compares the committed code
with what protos/ gives. `release` makes today's protos the released image.
"""

import argparse
import filecmp
import importlib
import pathlib
import shutil
import subprocess
import sys
import tempfile

import google.rpc.status_pb2
import grpc_tools
from google.protobuf import descriptor_pb2
from grpc_tools import protoc
from protovalidate._gen.buf.validate import validate_pb

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
CODE = ROOT / "libs" / "contracts" / "src"
RELEASED = PROTOS / "released.binpb"
BINARIES = pathlib.Path(sys.executable).parent
GOOGLE_APIS = pathlib.Path(google.rpc.status_pb2.__file__).parents[2]
WELL_KNOWN = pathlib.Path(grpc_tools.__file__).parent / "_proto"
IMPORTED = ("descriptor", "duration", "timestamp", "field_mask", "any")  # what validate.proto imports
GENERATED = ("cortex", "buf")


def own_protos():
    return sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))


def write_validator(target):
    """Hand protoc the installed validator's descriptor: its wheel has no validate.proto."""
    files = descriptor_pb2.FileDescriptorSet()
    for name in IMPORTED:
        importlib.import_module(f"google.protobuf.{name}_pb2").DESCRIPTOR.CopyToProto(files.file.add())
    files.file.add().ParseFromString(validate_pb._DESC.proto.to_binary())  # noqa: SLF001 - its only door
    target.write_bytes(files.SerializeToString())


def run_protoc(folder, *arguments):
    validator = folder / "validator.binpb"
    write_validator(validator)
    paths = [f"-I{folder}" for folder in (PROTOS, GOOGLE_APIS, WELL_KNOWN)]
    if protoc.main(["protoc", f"--descriptor_set_in={validator}", *paths, *arguments]):
        sys.exit("protos: protoc failed")


def generate_into(target, scratch):
    """Write messages, stubs and their types, and a package file in every folder."""
    plugins = [f"--plugin=protoc-gen-{name}={BINARIES / f'protoc-gen-{name}'}" for name in ("mypy", "mypy_grpc")]
    outputs = [f"--python_out={target}", f"--mypy_out=quiet:{target}"]
    run_protoc(scratch, *plugins, *outputs, *own_protos(), "buf/validate/validate.proto")
    services = [name for name in own_protos() if name.endswith("_service.proto")]
    run_protoc(scratch, *plugins, f"--grpc_python_out={target}", f"--mypy_grpc_out=quiet:{target}", *services)
    for folder in {folder for path in target.rglob("*.py") for folder in path.parents if folder.is_relative_to(target)}:
        if folder != target:
            (folder / "__init__.py").touch()
            (folder / "py.typed").touch()


def write_image(target, folder):
    options = ["--include_imports", "--include_source_info"]
    run_protoc(folder, f"--descriptor_set_out={target}", *options, *own_protos())


def buf(*arguments):
    return subprocess.run([str(BINARIES / "buf"), *arguments], cwd=str(PROTOS)).returncode == 0


def differences(left, right):
    """Paths, relative to both, that are not the same in two trees of generated code."""
    compared = filecmp.dircmp(left, right, ignore=["__pycache__"])
    found = [str(pathlib.Path(left) / name) for name in compared.left_only + compared.right_only + compared.diff_files]
    for name in compared.common_dirs:
        found += differences(pathlib.Path(left) / name, pathlib.Path(right) / name)
    return found


def generate(folder):
    for name in GENERATED:
        shutil.rmtree(CODE / name, ignore_errors=True)
    generate_into(CODE, folder)


def check(folder):
    image = folder / "image.binpb"
    write_image(image, folder)
    passed = buf("lint", str(image), "--path", "cortex")
    if RELEASED.exists():
        passed &= buf("breaking", str(image), "--against", str(RELEASED), "--path", "cortex")
    fresh = folder / "fresh"
    fresh.mkdir()
    generate_into(fresh, folder)
    stale = [path for name in GENERATED for path in differences(fresh / name, CODE / name)]
    if stale:
        print("protos: the generated code is not what protos/ gives; run make protos:", *stale, sep="\n  ")
    sys.exit(0 if passed and not stale else 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("generate", "check", "release"))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        match parser.parse_args().step:
            case "generate":
                generate(folder)
            case "check":
                check(folder)
            case "release":
                write_image(RELEASED, folder)


if __name__ == "__main__":
    main()
