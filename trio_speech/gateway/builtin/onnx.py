"""Loads models from the files of installed packages, after checking that they are the ones that were measured."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import onnxruntime

from ..engines import EngineFailed


def model_file(package: str, path: str, sha256: str) -> bytes:
    """Reads a file of an installed package, without importing the package.

    Raises `EngineFailed` when the package or the file is missing, or when the file is not the expected one.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EngineFailed(f"the package {package} is missing: pip install 'trio-speech[local]'")
    file = Path(spec.submodule_search_locations[0], path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise EngineFailed(f"{file} cannot be read: {error.strerror}; reinstall 'trio-speech[local]'") from None
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        # A model under the same name with other weights would recognize something, only worse: say so at once.
        raise EngineFailed(f"{file} has SHA-256 {found}, not {sha256}: reinstall 'trio-speech[local]'")
    return data


def load(model: bytes) -> Any:
    """Loads a model. Returns a session of ONNX Runtime, which many threads may use at once."""
    options = onnxruntime.SessionOptions()
    # One thread per call: sessions run side by side, and results do not depend on the number of processors.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
