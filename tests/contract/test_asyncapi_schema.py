"""The AsyncAPI document against the schema that AsyncAPI itself publishes, which comes as a package of npm."""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.installation,
    pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm to get the schema with"),
]


def test_our_document_is_valid_by_the_published_schema_and_a_fault_in_it_is_not(tmp_path: Path) -> None:
    packed = subprocess.run(
        ["npm", "pack", "--silent", "@asyncapi/specs@6"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    with tarfile.open(tmp_path / packed.stdout.strip().splitlines()[-1]) as archive:
        found = archive.extractfile("package/schemas/3.0.0.json")
        assert found is not None
        schema = json.load(found)
    document = yaml.safe_load((ROOT / "contracts" / "schemas" / "asyncapi.yaml").read_text(encoding="utf-8"))
    validator = jsonschema.Draft7Validator(schema)
    assert [error.message for error in validator.iter_errors(document)] == []
    del next(iter(document["operations"].values()))["action"]
    assert not validator.is_valid(document)
