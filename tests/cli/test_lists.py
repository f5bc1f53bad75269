"""`segpaint models` and `segpaint datasets`."""

from keras_segpaint import data, models


def test_models_names_paper_and_parameters(segpaint):
    result = segpaint("models")
    assert result.exit_code == 0, result.output
    for name in models.__all__:
        assert f"│ {name} " in result.stdout
    assert "363,856" in result.stdout
    assert "arXiv:1606.02147" in result.stdout


def test_datasets(segpaint):
    result = segpaint("datasets")
    assert result.exit_code == 0, result.output
    for row in data.list_datasets():
        assert row["spec"] in result.stdout
