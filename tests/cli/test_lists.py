"""`segpaint models` and `segpaint datasets`."""

import json
from pathlib import Path

from keras_segpaint import data, models

# Critics and encoders are there for training alone.
NETWORKS = sorted(
    [
        *models.segmentation.__all__,
        *("CoherencePriorsInpainting", "DeepFillV1", "DeepFillV2", "PConvUNet", "SemanticGuidedInpainting"),
        *(set(models.synthesis.__all__) - {"MultiscaleDiscriminator", "SPADEEncoder"}),
    ]
)


def test_models_names_paper_and_parameters(segpaint):
    result = segpaint("models")
    assert result.exit_code == 0, result.output
    for name in NETWORKS:
        assert f"│ {name} " in result.stdout
    assert "363,856" in result.stdout
    assert "Paszke 2016 arXiv:1606.02147" in result.stdout


def test_one_family(segpaint):
    result = segpaint("models", "--family", "inpainting")
    assert result.exit_code == 0, result.output
    assert "│ DeepFillV2 " in result.stdout and "│ ENet " not in result.stdout


def test_the_table_of_models_is_what_the_models_say():
    rows = json.loads((Path(models.__file__).parent / "catalogue.json").read_text())
    assert [row["model"] for row in rows] == NETWORKS
    for row in rows:
        model = getattr(models, row["model"])
        assert hasattr(getattr(models, row["family"]), row["model"])
        assert (row["paper"], row["good_for"]) == (model.paper, model.good_for)
        assert row["good_for"]
        counts = {json.dumps(arguments): count for arguments, count in model.reference_parameters}
        assert row["parameters"] == counts.get(json.dumps(row["setting"]), row["parameters"])
        page = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
        assert f"`{row['model']}` | {row['paper']} | {row['parameters']:,} |" in page


def test_datasets(segpaint):
    result = segpaint("datasets")
    assert result.exit_code == 0, result.output
    for row in data.list_datasets():
        assert row["spec"] in result.stdout
