"""What docs/registrar.md says of reasons, metrics, operations and phases is so: all that there are, and no others."""

import re

from stack import ROOT

SOURCES = ROOT / "src" / "roles" / "registrar"
TEXT = (ROOT / "docs" / "registrar.md").read_text()
# Other words in quotes there: of conditions and Events, of a request that is left alone, of the help.
NO_REASONS = {"Registered", "True", "False", "Unknown", "Registration", "Normal", "Warning", "Ignored", "Registrar", "Secret"}


def cells(heading, column=0):
    """The code in a column of the table whose heading begins so."""
    table = TEXT[TEXT.index(f"| {heading} |") :].split("\n\n")[0].splitlines()[2:]
    return {name for row in table for name in re.findall(r"`([^`]+)`", row.strip("|").split(" | ")[column])}


def source(pattern="*.cpp"):
    return "".join(each.read_text() for each in sorted(SOURCES.glob(pattern)))


def test_the_reasons_are_all_of_them():
    # A word alone in quotes, as reasons are written there.
    given = set(re.findall(r'"([A-Z][a-z]+[A-Za-z]*)"', source() + source("reasons.hpp"))) - NO_REASONS
    assert "LowBalance" in given and "Refused" in given
    assert cells("reason") == given


def test_what_an_offer_passes_on_is_among_them():
    header = (ROOT / "include" / "portitor" / "api" / "conditions.hpp").read_text()
    named = dict(re.findall(r'constexpr reason (\w+)\{"(\w+)"\}', header))
    passed_on = re.search(r"array of_registrar\{(.*?)\}", header, re.S)[1].replace(",", " ").split()
    assert len(passed_on) > 15 and {named[each] for each in passed_on} <= cells("reason")
    # What somebody has to mend is told to the seller, too.
    troubles = set(re.findall(r'"(\w+)"', re.search(r"troubles\{(.*?)\}", source("reasons.hpp"), re.S)[1]))
    assert troubles <= {named[each] for each in passed_on} | {"Failed"}


def test_the_metrics_are_all_of_them():
    told = set(re.findall(r'"(portitor_registrar_\w+)"', source()))
    assert len(told) > 5 and cells("metric") == told


def test_the_operations_and_phases_are_all_of_them():
    names = re.search(r"operation_names\{(.*?)\}", source("request_status.cpp"), re.S)[1]
    assert cells("`operation`") == set(re.findall(r'"(\w+)"', names))
    crd = (ROOT / "charts/portitor/files/crds/registrationrequests.obol.org.yaml").read_text()
    phases = re.search(r"self\.status\.phase in \[(.*?)\]", crd)[1]
    assert cells("phase") == set(re.findall(r"\w+", phases)) - {'""'}
