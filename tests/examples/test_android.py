"""The example for Android: all its files, well formed, and in agreement with each other and with what is exported."""

import re
import shlex
from xml.etree import ElementTree

import pytest
from typer.main import get_command

from keras_segpaint.cli.main import app
from keras_segpaint.export.metadata import DESCRIPTION
from keras_segpaint.export.options import FileOptions
from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "examples" / "android"
MAIN = FOLDER / "app" / "src" / "main"
SOURCES = MAIN / "kotlin" / "org" / "kerassegpaint" / "example"
ANDROID = "{http://schemas.android.com/apk/res/android}"


def source(name: str) -> str:
    return (SOURCES / name).read_text()


def test_the_project_is_whole():
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    main = "app/src/main"
    code = f"{main}/kotlin/org/kerassegpaint/example"
    assert files >= {
        "README.md",
        "settings.gradle.kts",
        "build.gradle.kts",
        "gradle.properties",
        "gradle/wrapper/gradle-wrapper.properties",
        "app/build.gradle.kts",
        f"{main}/AndroidManifest.xml",
        f"{main}/assets/.gitkeep",
        f"{main}/res/layout/main.xml",
        f"{main}/res/values/strings.xml",
        f"{code}/MainActivity.kt",
        f"{code}/Metadata.kt",
        f"{code}/Segmenter.kt",
    }
    assert 'include(":app")' in (FOLDER / "settings.gradle.kts").read_text()


def test_every_resource_that_is_used_is_there():
    layout = ElementTree.parse(MAIN / "res" / "layout" / "main.xml").getroot()
    strings = ElementTree.parse(MAIN / "res" / "values" / "strings.xml").getroot()
    manifest = ElementTree.parse(MAIN / "AndroidManifest.xml").getroot()
    there = {
        "layout": {path.stem for path in (MAIN / "res" / "layout").iterdir()},
        "id": {view.get(f"{ANDROID}id").removeprefix("@+id/") for view in layout.iter() if view.get(f"{ANDROID}id")},
        "string": {entry.get("name") for entry in strings},
    }
    code = "".join(path.read_text() for path in SOURCES.iterdir())
    used = set(re.findall(r"R\.(layout|id|string)\.(\w+)", code))
    for root in (layout, manifest):
        for value in (value for element in root.iter() for value in element.attrib.values()):
            if value.startswith("@string/"):
                used.add(("string", value.removeprefix("@string/")))
    assert used and all(name in there[kind] for kind, name in used)
    assert {name for kind, name in used if kind == "string"} == there["string"]


def test_the_manifest_names_the_activity():
    (activity,) = ElementTree.parse(MAIN / "AndroidManifest.xml").getroot().iter("activity")
    name = activity.get(f"{ANDROID}name")
    assert f"class {name.removeprefix('.')} : Activity()" in source("MainActivity.kt")
    (namespace,) = re.findall(r'namespace = "([\w.]+)"', (FOLDER / "app" / "build.gradle.kts").read_text())
    for path in SOURCES.iterdir():
        assert path.read_text().startswith(f"package {namespace}\n")
    assert SOURCES.as_posix().endswith(namespace.replace(".", "/"))


@pytest.mark.parametrize("name", ["MainActivity.kt", "Metadata.kt", "Segmenter.kt"])
def test_brackets_close(name):
    code = re.sub(r'"(\\.|[^"\\])*"', '""', re.sub(r"//.*|/\*.*?\*/", "", source(name)))
    open_ones = []
    for character in code:
        if character in "([{":
            open_ones.append(")]}"["([{".index(character)])
        elif character in ")]}":
            assert open_ones.pop() == character
    assert open_ones == []


def test_the_readme_says_what_is_built():
    readme = (FOLDER / "README.md").read_text()
    gradle = (FOLDER / "build.gradle.kts").read_text() + (FOLDER / "app" / "build.gradle.kts").read_text()
    versions = re.findall(r'version "([\d.]+)"', gradle) + re.findall(r"litert:litert:([\d.]+)", gradle)
    versions += re.findall(
        r"gradle-([\d.]+)-bin", (FOLDER / "gradle" / "wrapper" / "gradle-wrapper.properties").read_text()
    )
    assert len(versions) == 4
    table = readme.partition("## Written for")[2]
    assert all(f"| {version}" in table for version in versions)
    for number in re.findall(r"(?:compileSdk|minSdk) = (\d+)", gradle):
        assert f"API {number}" in table


def test_the_file_is_exported_as_the_app_takes_it():
    readme = (FOLDER / "README.md").read_text().replace("\\\n", " ")
    (command,) = re.findall(r"segpaint export .*", readme)
    words = shlex.split(command)
    (model,) = re.findall(r'const val MODEL = "(.+)"', source("Segmenter.kt"))
    assert REPOSITORY / words[3] == MAIN / "assets" / model
    options = dict(zip(words[4::2], words[5::2], strict=True))
    known = {name for parameter in get_command(app).commands["export"].params for name in parameter.opts}
    assert options.keys() <= known
    FileOptions(options["--precision"], options["--input"], options["--output"])
    assert options["--input"] == "uint8" and options["--output"] == "classes"
    assert f'METADATA = "{DESCRIPTION}"' in source("Segmenter.kt")
    code = source("Segmenter.kt")
    assert code.count("dataType() == DataType.UINT8") == 2
    for option in ("--input", "--output"):
        assert f"{option} {options[option]}" in code
