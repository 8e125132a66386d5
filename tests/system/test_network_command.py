"""`busbar network`: models and differences in and out, as a user has it."""

import json
from pathlib import Path

import pytest

from tests.fixtures.statements import RDF, statements
from tests.system.conftest import Shell

DM = "http://iec.ch/TC57/61970-552/DifferenceModel/1#"
CIM = "http://iec.ch/TC57/CIM100#"
MORE = "{http://iec.ch/TC57/CIM100#}IdentifiedObject.aliasName"
SHIPPED = Path(__file__).resolve().parents[2] / "infra" / "networks" / "harbour.xml"


def difference(subject: str) -> str:
    return (
        f'<rdf:RDF xmlns:rdf="{RDF}" xmlns:cim="{CIM}" xmlns:dm="{DM}"><dm:DifferenceModel rdf:about="urn:uuid:d-1">'
        f'<dm:forwardDifferences rdf:parseType="Statements"><rdf:Description rdf:about="{subject}">'
        "<cim:IdentifiedObject.aliasName>R1</cim:IdentifiedObject.aliasName></rdf:Description></dm:forwardDifferences>"
        "</dm:DifferenceModel></rdf:RDF>"
    )


def done(shell: Shell, *words: str) -> str:
    called = shell.call("network", *words)
    assert called.returncode == 0, called.stderr[-3000:]
    return called.stdout


def test_a_model_comes_back_with_the_same_statements_after_a_difference_and_its_reverse(
    shell: Shell, network: str
) -> None:
    round_trip(shell, SHIPPED if network == "harbour" else Path(network))


def test_a_network_of_pandapower_does_so_as_well(shell: Shell) -> None:
    pandapower = pytest.importorskip("pandapower")
    round_trip(shell, Path(pandapower.__file__).parent / "networks" / "mv_oberrhein.json")


def round_trip(shell: Shell, file: Path) -> None:
    up = shell.start("up")
    assert up.stdout is not None
    assert any(line.startswith("Ready") for line in up.stdout)
    output = shell.folder / "out.xml"
    model = json.loads(done(shell, "import", str(file), "--json"))
    assert (model["statusKind"], model["modelFormat"]) == ("active", "CIM100 RDF/XML")
    done(shell, "export", "--output", str(output))
    before = statements(output.read_bytes())
    if file.suffix == ".xml":
        assert before == statements(file.read_bytes())

    change = shell.folder / "change.xml"
    subject = min(each[0] for each in before if each[2].endswith("}ACLineSegment"))
    change.write_text(difference(subject))
    assert json.loads(done(shell, "apply", str(change), "--json"))["mRID"] == "d-1"
    done(shell, "export", "--output", str(output))
    assert {each[:3] for each in statements(output.read_bytes()) - before} == {(subject, MORE, "R1")}
    again = shell.call("network", "apply", str(change))
    assert (again.returncode, "aliasName R1 already" in again.stderr) == (1, True)

    done(shell, "reverse", "d-1")
    done(shell, "export", "--output", str(output))
    assert statements(output.read_bytes()) == before
    done(shell, "apply", str(change))
    done(shell, "reverse", str(change))
    done(shell, "export", "--output", str(output))
    assert statements(output.read_bytes()) == before
    assert up.poll() is None


def test_what_a_network_of_pandapower_lacks_is_added_by_a_difference_that_can_be_undone(shell: Shell) -> None:
    pytest.importorskip("pandapower")
    up = shell.start("up", "--network", "mv_oberrhein")
    assert up.stdout is not None
    assert any(line.startswith("Ready") for line in up.stdout)
    output, change = shell.folder / "out.xml", shell.folder / "change.xml"
    done(shell, "export", "--output", str(output))
    before = statements(output.read_bytes())

    equipped = json.loads(done(shell, "equip", "--json", "--output", str(change)))
    assert equipped["added"]["Fuse"] > 147  # its loads, each of which is a station
    assert (equipped["added"]["Recloser"], "Breaker" in equipped["added"]) == (4, False)
    assert equipped["difference"]["statusKind"] == "inService"
    assert "lacks nothing" in done(shell, "equip")

    done(shell, "reverse", equipped["difference"]["mRID"])
    done(shell, "export", "--output", str(output))
    assert statements(output.read_bytes()) == before
    assert json.loads(done(shell, "apply", str(change), "--json"))["mRID"] == equipped["difference"]["mRID"]
    assert up.poll() is None


def test_a_model_with_planted_errors_is_refused_whole_with_their_lines(shell: Shell) -> None:
    lines = SHIPPED.read_text().splitlines(keepends=True)
    fuse = next(line for line in lines if "<cim:Fuse" in line).split('"')[1]
    lines[-1:-1] = [
        f'<cim:Fuse rdf:about="{fuse}"/>\n',
        '<cim:Fuse rdf:ID="_x"><cim:PowerSystemResource.Location rdf:resource="#_gone"/></cim:Fuse>\n',
    ]
    file = shell.folder / "planted.xml"
    file.write_text("".join(lines))
    refused = shell.call("network", "import", str(file))
    assert refused.returncode == 1
    name = fuse.removeprefix("urn:uuid:")
    assert f"line {len(lines) - 2}: {name}: the identifier is already that of line " in refused.stderr
    assert f"line {len(lines) - 1}: x: PowerSystemResource.Location leads to gone, which is not there" in refused.stderr


def test_a_town_is_imported_by_its_name_in_the_size_that_is_asked_for(shell: Shell) -> None:
    model = json.loads(done(shell, "import", "town:400", "--json"))
    assert (model["description"], model["findingCount"], model["statusKind"]) == ("town-400", 0, "active")
    assert (shell.state / "networks").is_dir()
    refused = shell.call("network", "import", "town:some")
    assert (refused.returncode, "the size is a number of usage points" in refused.stderr) == (1, True)
