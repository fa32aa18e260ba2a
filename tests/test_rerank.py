"""Passages in the order of a reranker: scored by hand, and by a tiny cross-encoder with random weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from eval.__main__ import main as evaluate
from eval.ablation import FULL, MET, RERANKED, variants
from index.build import indexed_text
from index.errors import ModelMissing
from rag.__main__ import main
from rag.batch.reading import open_list
from rag.batch.run import identity
from rag.config import Config
from rag.doctor import Finding, examine
from rag.errors import ConfigError
from rag.pipeline import Pipeline, open_pipeline
from rag.rerank import CrossReranker, open_reranker, reranked
from rag.search import CONSIDERED
from rag.understand import understand
from tests.fakes import paragraph, passage
from tests.models import save_cross_encoder
from tests.test_run import ROWS, written

ROOT = Path(__file__).resolve().parent.parent
FOREST = "2030年森林覆盖率要达到多少？"
BOTH = "石湾县和柳川县2030年各新建高标准农田多少万亩？"


@dataclass
class HandScored:
    """A reranker: the log-odds of a text are those of the first of the words that stands in it, else -4. `asked`
    records the questions."""

    odds: dict[str, float]
    asked: list[str] = field(default_factory=list)

    def __call__(self, question: str, texts: Sequence[str]) -> NDArray[np.float64]:
        self.asked.append(question)
        return np.array([next((odds for word, odds in self.odds.items() if word in text), -4.0) for text in texts])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_cross_encoder(tmp_path_factory.mktemp("models") / "tiny")


def described(folder: Path, **config: Any) -> Path:
    """A model's folder that holds a whole file of weights and says of itself what is given."""
    folder.mkdir()
    save_file({"weight": np.zeros(2, dtype=np.float32)}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    return folder


# --- the order


def test_passages_are_ordered_and_scored_by_the_reranker() -> None:
    texts = ("甲", "乙", "丙", "丁")
    found = [passage(paragraph(text, line), line, 10.0 - line) for line, text in enumerate(texts, 1)]
    # Odds of 3 to 1, even, 1 to 3: probabilities 3/4, 1/2, 1/4. Those alike stay in the order in which they came.
    fake = HandScored({"甲": 0.0, "乙": -np.log(3), "丙": np.log(3), "丁": 0.0})
    ordered = reranked(fake, "问", found)
    assert [(one.chunk.text, one.rank) for one in ordered] == [("丙", 1), ("甲", 2), ("丁", 3), ("乙", 4)]
    assert [one.score for one in ordered] == pytest.approx([0.75, 0.5, 0.5, 0.25])
    assert reranked(fake, "问", []) == ()


def test_scores_stay_between_0_and_1_and_the_order_is_that_of_the_odds() -> None:
    texts = ("甲", "乙", "丙", "丁")
    found = [passage(paragraph(text, line), line) for line, text in enumerate(texts, 1)]
    ordered = reranked(HandScored({"甲": -1e6, "乙": 1e5, "丙": 1e6, "丁": -900.0}), "问", found)
    assert [one.chunk.text for one in ordered] == ["丙", "乙", "丁", "甲"]
    assert all(0 < one.score <= 1 for one in ordered)


def test_the_reranker_reads_a_passage_with_the_titles_above_it() -> None:
    given: list[str] = []

    def look(question: str, texts: Sequence[str]) -> NDArray[np.float64]:
        given.extend(texts)
        return np.zeros(len(texts))

    reranked(look, "问", [passage(paragraph("到2030年达到58%。", section=("第二章 主要目标",)))])
    assert given == ["第二章 主要目标\n到2030年达到58%。"]


# --- in the pipeline


def test_what_retrieval_found_last_may_come_first(yunze: Pipeline) -> None:
    query = understand(FOREST, (), yunze.frame)
    plain = yunze.retrieve(query, CONSIDERED)
    assert yunze.search.find(query, query.text) == plain
    last = next(one for one in reversed(plain) if one.chunk.kind == "paragraph")
    assert last.rank > 20  # retrieval alone does not let the selector see it
    fake = HandScored({last.chunk.text: 2.0, "森林覆盖率": 1.0})
    found, selection, _ = replace(yunze, reranker=fake).search(query)
    assert {one.chunk.id for one in found} == {one.chunk.id for one in plain}
    assert found[0].chunk == last.chunk
    assert [one.rank for one in found] == list(range(1, len(plain) + 1))
    # Odds of e^2 and e^1 to 1: the feature is the score over the best.
    share = (1 + np.exp(-2)) / (1 + np.exp(-1))
    features = {one.passage.rank: one.features["passage"] for one in selection.evidence}
    assert features[1] == 1
    assert features[2] == pytest.approx(share)


def test_the_answer_follows_the_reranker_and_is_checked_as_ever(yunze: Pipeline) -> None:
    pipeline = replace(yunze, reranker=HandScored({"森林覆盖率": 4.0}))
    *_, streamed = pipeline.stream(FOREST)
    answer = pipeline.ask(FOREST)
    assert "27.5%" in answer.text
    assert answer.checks
    assert all(check.ok for check in answer.checks)
    assert replace(streamed, seconds=0.0) == replace(answer, seconds=0.0)


def test_each_side_of_a_comparison_is_asked_for_itself(yunze: Pipeline) -> None:
    fake = HandScored({})
    answer = replace(yunze, reranker=fake).ask(BOTH)
    assert "12.6" in answer.text
    assert "8.5" in answer.text
    assert fake.asked[0] == understand(BOTH, (), yunze.frame).text
    sides = fake.asked[1:3]
    assert sorted(("石湾" in side, "柳川" in side) for side in sides) == [(False, True), (True, False)]


# --- what is no reranker


def test_a_folder_that_does_not_exist_is_named_at_once(
    yunze_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "none"
    with pytest.raises(ModelMissing, match=r"应有重排模型文件夹 .*none，实际不存在"):
        open_pipeline(Config(index=yunze_folder, reranker=str(missing)))
    assert main(["ask", FOREST, "--index", str(yunze_folder), "--reranker", str(missing)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("应有重排模型文件夹")
    with pytest.raises(ConfigError, match="--reranker 应为"):
        Config(reranker=" ")


def test_a_model_without_scores_is_refused(tmp_path: Path) -> None:
    folder = described(tmp_path / "embedder", architectures=["BertModel"])
    with pytest.raises(ModelMissing, match=r"应是给一问一文打分的模型.*是 BertModel"):
        open_reranker(str(folder))
    with pytest.raises(ModelMissing, match="是 未写明"):
        open_reranker(str(described(tmp_path / "unknown", model_type="bert")))


def test_pickled_and_half_fetched_weights_are_refused(tmp_path: Path) -> None:
    folder = described(tmp_path / "m", architectures=["BertForSequenceClassification"])
    assert isinstance(open_reranker(str(folder)), CrossReranker)
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[:-1])
    with pytest.raises(ModelMissing, match="没有下载完或已损坏"):
        open_reranker(str(folder))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelMissing, match="只有 pickle 格式"):
        open_reranker(str(folder))


def test_a_hub_name_is_looked_for_in_the_cache_alone_when_offline(tmp_path: Path) -> None:
    code = "from rag.rerank import open_reranker; open_reranker('nobody/nothing')"
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **offline}, capture_output=True, encoding="utf-8"
    )
    assert "应有重排模型 nobody/nothing（文件夹或模型网站上的名称）" in done.stderr
    assert "ModelMissing" in done.stderr


def test_weights_that_do_not_fit_are_one_sentence_on_first_use(tmp_path: Path) -> None:
    folder = described(tmp_path / "m", architectures=["BertForSequenceClassification"], model_type="no-such-kind")
    reranker = open_reranker(str(folder))
    with pytest.raises(ModelMissing, match=r"应是能用 sentence-transformers 读取的重排模型，实际无法读取") as raised:
        reranker("问", ["文"])
    assert "\n" not in str(raised.value)


@pytest.mark.slow
def test_several_scores_and_code_of_its_own_are_refused(tmp_path: Path) -> None:
    three = open_reranker(str(save_cross_encoder(tmp_path / "three", labels=3)))
    with pytest.raises(ModelMissing, match=r"应给出一个分数，实际 .* 给出 3 个"):
        three("问", ["文"])
    (tmp_path / "three" / "ran.py").write_text("raise SystemExit('ran')")
    config = json.loads((tmp_path / "three" / "config.json").read_text())
    config |= {"model_type": "of-its-own", "auto_map": {"AutoConfig": "ran.Config"}}
    (tmp_path / "three" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelMissing, match="出于安全不予运行"):
        open_reranker(str(tmp_path / "three"))


# --- a cross-encoder


@pytest.mark.slow
def test_the_scores_are_those_of_sentence_transformers(tiny: Path) -> None:
    import torch
    from sentence_transformers import CrossEncoder

    texts = ["到2030年，森林覆盖率达到27.5%。", "粮食", "", "长" * 5_000]
    reference = CrossEncoder(str(tiny), device="cpu")
    expected = reference.predict([(FOREST, text) for text in texts], activation_fn=torch.nn.Identity())
    reranker = open_reranker(str(tiny))
    odds = reranker(FOREST, texts)
    assert odds == pytest.approx(expected, abs=1e-5)
    assert len(set(odds)) == len(texts)  # a fixture that scored all alike would show nothing
    # The model's own squashing is the same one: what `reranked` makes of the odds are its own scores.
    found = [passage(paragraph(text, line), line) for line, text in enumerate(texts, 1)]
    ordered = reranked(reranker, FOREST, found)
    own = reference.predict([(FOREST, indexed_text(one.chunk)) for one in ordered])
    assert [one.score for one in ordered] == pytest.approx(sorted(own, reverse=True), abs=1e-5)


@pytest.mark.slow
def test_several_threads_are_served(tiny: Path) -> None:
    questions = [f"{year}年森林覆盖率是多少？" for year in range(2021, 2031)]
    alone = [open_reranker(str(tiny))(question, ["森林", "粮食产量"]) for question in questions]
    reranker = open_reranker(str(tiny))
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda question: reranker(question, ["森林", "粮食产量"]), questions))
    assert np.allclose(alone, together, atol=1e-6)


@pytest.mark.slow
def test_opening_needs_no_torch_and_the_first_question_loads_it(tiny: Path, yunze_folder: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom rag.config import Config\nfrom rag.pipeline import open_pipeline\n"
        f"p = open_pipeline(Config(Path({str(yunze_folder)!r}), reranker={str(tiny)!r}))\n"
        "print('torch' in sys.modules)\np.ask('森林覆盖率是多少？')\nprint('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True"], done.stderr


@pytest.mark.slow
def test_ask_and_a_run_with_a_reranker(
    tiny: Path, yunze_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["--index", str(yunze_folder), "--reranker", str(tiny)]
    assert main(["ask", FOREST, "--json", *settings]) == 0
    retrieved = json.loads(capsys.readouterr().out)["retrieved"]
    assert all(0 < one["score"] <= 1 for one in retrieved)
    source, out = written(tmp_path, ROWS), tmp_path / "out"
    assert evaluate(["run", "--set", str(source), "--out", str(out), *settings]) == 0
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["settings"]["reranker"] == str(tiny)
    assert evaluate(["run", "--set", str(source), "--out", str(out), *settings[:2]]) == 2
    assert "另一次评测（不同的有：settings）" in capsys.readouterr().err
    assert evaluate(["ablate", "--set", str(source), "--out", str(tmp_path / "parts"), *settings]) == 0
    assert f"| {RERANKED} |" in capsys.readouterr().out


# --- ablation, batch, doctor


def test_the_ablation_has_the_reranker_as_one_variant_more(yunze: Pipeline, shipped: Pipeline) -> None:
    assert RERANKED not in variants(yunze)
    pipeline = replace(yunze, reranker=HandScored({}))
    tried = variants(pipeline)
    assert [name for name, one in tried.items() if one.reranker is not None] == [RERANKED]
    assert tried[RERANKED] is pipeline
    unmet = tried["不用逐词比对"].select.weights
    assert set(tried[FULL].select.weights) - set(unmet) == set(MET)
    prepared = variants(shipped)
    assert prepared[FULL].index.questions
    without = prepared["不用备用问题"]
    for index in (without.index, without.retrieve.index, without.select.index):
        assert index.questions == ()


def test_a_batch_knows_its_reranker(yunze: Pipeline, tmp_path: Path) -> None:
    source = tmp_path / "list.txt"
    source.write_text(FOREST, encoding="utf-8")
    listing = open_list(source, "", "")
    plain, other = (
        json.loads(identity(yunze, Config(reranker=name), source, listing)["settings"]) for name in (None, "m")
    )
    assert (plain.pop("reranker"), other.pop("reranker")) == (None, "m")
    assert plain == other


def finding(index: Path, reranker: str | None) -> Finding:
    return next(one for one in examine(index, reranker=reranker) if one.subject == "重排模型")


def test_the_doctor_names_the_reranker(yunze_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert finding(yunze_folder, None) == Finding("重排模型", True, "没有设置，按检索的次序")
    folder = described(tmp_path / "m", architectures=["XLMRobertaForSequenceClassification"])
    found = finding(yunze_folder, str(folder))
    assert found.ok
    assert found.found.startswith(f"{folder}，权重 0.0 GB")
    monkeypatch.setattr("rag.doctor._memory", lambda: 10)
    assert finding(yunze_folder, str(folder)).cure.startswith("内存装不下：")
    other = finding(yunze_folder, str(described(tmp_path / "e", architectures=["BertModel"])))
    assert not other.ok
    assert "打分" in other.found
    fetch = finding(yunze_folder, "nobody/nothing")
    assert not fetch.ok
    assert "hf download nobody/nothing" in fetch.cure
    assert finding(yunze_folder, "/no/such").cure == "核对 --reranker 的路径。"
