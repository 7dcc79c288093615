"""Model cards: the metadata that the Hub reads, the figures of the run, and names that stay names."""

from __future__ import annotations

import pytest

from nncompare.report import Use, render_model_card
from nncompare.results import Check, FinalRecord

from . import report_fixtures as fixtures

yaml = pytest.importorskip("yaml")


def use(form="onnx", *, own_samples=True):
    return Use(
        form=form,
        file=f"model.{form}",
        code=("import x", 'model = x.load("model")', "probabilities = model(X)"),
        notes=("X is | what it is.",),
        note="",
        max_difference=2.5e-7,
        n_samples=99,
        own_samples=own_samples,
    )


def scored(results):
    study = next(study for study in results.studies if study.test is not None and study.refits)
    return next(data for data in results.datasets if data.name == study.dataset), study


def card(form="onnx", **updates):
    results = fixtures.full()
    data, study = scored(results)
    study = study.model_copy(update=updates)
    return render_model_card(results, data, study, 1, use(form), by_verdict=False), data, study


def split(text):
    """Return the metadata and the text of a card."""
    before, header, body = text.split("---\n", 2)
    assert before == ""
    return yaml.safe_load(header), body


@pytest.mark.parametrize(("form", "library"), [("onnx", "onnx"), ("keras", "keras"), ("skops", "sklearn")])
def test_card_has_the_metadata_of_the_hub(form, library):
    text, data, study = card(form)
    metadata, _ = split(text)
    assert metadata["library_name"] == library
    assert form in metadata["tags"]
    assert metadata.get("model_file") == ("model.skops" if form == "skops" else None)
    (model,) = metadata["model-index"]
    (result,) = model["results"]
    assert result["dataset"]["name"] == data.name
    assert {each["type"]: each["value"] for each in result["metrics"]}["accuracy"] == study.refits[0].test_accuracy


def test_card_says_what_the_model_is_worth_and_how_that_was_measured():
    text, data, study = card()
    _, body = split(text)
    accuracy = study.test.accuracy
    assert f"{accuracy.mean:.4f} (95 % CI {accuracy.low:.4f} to {accuracy.high:.4f})" in body
    assert f"sealed test part of {data.n_test:,} rows" in body
    assert '```python\nimport x\nmodel = x.load("model")\nprobabilities = model(X)\n```' in body
    assert f"seed {study.refits[0].seed}" in body
    for row in study.refits[0].per_class:
        assert f"| {row.precision:.4f} | {row.recall:.4f} | {row.f1:.4f} | {row.support} |" in body
    for name in study.best_params:
        assert name.replace("_", "") in body.replace("_", "").replace("\\", "")
    assert "2.5e-07" in body


def test_card_says_that_the_test_part_chose_the_model_where_it_did():
    results = fixtures.full()
    data, study = scored(results)
    results = results.model_copy(update={"studies": [study, study.model_copy(update={"model": "other"})]})
    for by_verdict, words in ((True, "and this one was chosen for that"), (False, "one that is chosen for them")):
        text = render_model_card(results, data, study, 1, use(), by_verdict=by_verdict)
        assert "search or choice saw" not in text
        assert "no search saw. 2 models were compared on it" in text
        assert words in text
    alone = results.model_copy(update={"studies": [study]})
    text = render_model_card(alone, data.model_copy(update={"duplicates": 3}), study, 1, use(), by_verdict=False)
    assert "no search saw, but for 3 that are in the training part too.\n" in text


def test_card_says_which_final_chose_the_configuration():
    study = scored(fixtures.full())[1]
    assert "configuration with the lowest validation log loss was" in card(finals=[])[0]
    finals = [FinalRecord(trial=4, valid_log_loss=0.3), FinalRecord(trial=2, valid_log_loss=0.2)]
    text = card(finals=finals)[0]
    assert "configuration with the lowest validation log loss was" not in text
    n_samples = f"{study.budget.refit_samples:,}"
    assert (
        f"The best 2 were trained once more to choose among them: trial 2 is best on all {n_samples} rows" in text
    )


def test_card_says_which_samples_were_compared():
    assert "On 99 samples drawn from the training data, no probability" in card()[0]
    results = fixtures.full()
    random = render_model_card(results, *scored(results), 1, use(own_samples=False), by_verdict=False)
    assert "On 99 random samples, because the data were not in the cache any more, no probability" in random


def test_card_says_what_is_wrong_with_the_data():
    results = fixtures.full()
    data, study = scored(results)
    found = [
        Check(code="leaking_column", level="problem", text="Column 'paid' is the target under another name."),
        Check(code="imbalance", level="ok", text="No class is twice as frequent as another."),
    ]
    text = render_model_card(
        results, data.model_copy(update={"data_checks": found}), study, 1, use(), by_verdict=False
    )
    limits = text.partition("## Limits")[2].partition("## Versions")[0]
    assert "- problem: Column 'paid' is the target under another name." in limits
    assert "twice as frequent" not in limits


@pytest.mark.parametrize("name", ["---", "a: b\n---\nc", "`|<b>", '"quoted": [x]', "- #"])
def test_card_takes_no_name_for_markup(name):
    text, _, _ = card(model=name)
    metadata, body = split(text)
    assert metadata["model-index"][0]["name"].startswith(f"{name} on ")
    assert "<b>" not in body
    assert body.count("\n# ") == 1
