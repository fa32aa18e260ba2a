"""Text -> vectors: the shipped model, models by folder and name, what is refused, and the recipe."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index.embed import DEFAULT_MODEL, Embedder, StaticEmbedder, TransformerEmbedder, known_prefixes, load_embedder
from index.errors import ModelMissing
from index.store import text_hash
from index.train.corpus import articles, read_lexicon, read_passages, read_prepared
from index.train.folder import write_model
from index.train.lessons import drop, occurrences
from index.train.measure import RetrievalSet, ranks
from index.train.vocabulary import contained_words, encode, unigram_tokenizer

ROOT = Path(__file__).parents[1]
PLAN = ROOT / "index" / "sources" / "changji-14fyp.txt"


@pytest.fixture(scope="module")
def shipped() -> Embedder:
    return load_embedder()


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A static model of two words at right angles, and a third between them."""
    tokenizer = unigram_tokenizer({"粮食": 3, "棉花": 2, "产量": 1})
    vectors = np.array([[0, 0], [2, 0], [0, 2], [3, 3]], dtype=np.float32)
    write_model(tmp_path / "tiny", tokenizer, vectors)
    return tmp_path / "tiny"


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transformer model with random weights: one layer over a dozen characters."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizer

    folder = tmp_path_factory.mktemp("bert")
    base, model = folder / "base", folder / "model"
    base.mkdir()
    (base / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"粮食棉花产量是多少"]))
    BertTokenizer(str(base / "vocab.txt")).save_pretrained(base)
    sizes = {"vocab_size": 14, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    BertModel(BertConfig(**sizes, intermediate_size=16, max_position_embeddings=32)).save_pretrained(base)
    transformer = Transformer(str(base))
    pooling = Pooling(transformer.get_embedding_dimension())
    SentenceTransformer(modules=[transformer, pooling]).save(str(model), create_model_card=False)
    return model


def plan_lines() -> list[str]:
    return [line for line in PLAN.read_text(encoding="utf-8").splitlines() if line.strip()]


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True
    )


def cosine(embedder: Embedder, question: str, *documents: str) -> NDArray[np.float32]:
    scores: NDArray[np.float32] = embedder.embed_questions([question])[0] @ embedder.embed_documents(documents).T
    return scores


# The shipped model


def test_rows_are_unit_float32_and_an_empty_text_is_zero(shipped: Embedder) -> None:
    rows = shipped.embed_documents(["粮食综合生产能力达到多少？", "", " \n", "，。！", "GDP 2025"])
    assert rows.shape == (5, shipped.dimension)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 0, 0, 0, 1], abs=1e-6)


def test_no_texts_give_no_rows(shipped: Embedder) -> None:
    assert shipped.embed_questions([]).shape == (0, shipped.dimension)


def test_a_text_has_the_same_vector_in_any_company(shipped: Embedder) -> None:
    texts = ["农村自来水普及率", "", "养老金什么时候发", plan_lines()[20]]
    alone = np.concatenate([shipped.embed_documents([text]) for text in texts])
    assert np.array_equal(shipped.embed_documents(texts), alone)


@pytest.mark.slow
def test_the_light_path_gives_the_numbers_of_sentence_transformers(shipped: Embedder) -> None:
    from sentence_transformers import SentenceTransformer

    texts = [*plan_lines(), "", "5G基站ＡＢ", "Ⅲ类水质≥95%", "老百姓看病贵不贵？", "\u3400生僻字𠮷", "a b\tc"]
    expected = SentenceTransformer(str(DEFAULT_MODEL), device="cpu").encode(texts, batch_size=64)
    assert np.abs(shipped.embed_documents(texts) - expected).max() < 1e-6


def test_the_light_path_imports_neither_torch_nor_sentence_transformers() -> None:
    done = python(
        "import sys; from index.embed import load_embedder; load_embedder().embed_questions(['粮食产量是多少？'])\n"
        "print([name for name in ('torch', 'transformers', 'sentence_transformers', 'jieba') if name in sys.modules])"
    )
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("看病能报多少钱", "提高基本医疗保险住院费用支付比例。", "加快高速公路网络建设。"),
        ("老人没人照顾怎么办", "完善居家社区机构相协调的养老服务体系。", "提升煤炭清洁高效利用水平。"),
        ("下岗了去哪找活干", "健全就业公共服务，帮扶就业困难人员。", "加强大气污染联防联控。"),
        ("村里垃圾谁来收", "推进农村生活垃圾治理，改善人居环境。", "扩大利用外资规模。"),
    ],
)
def test_everyday_words_are_near_official_ones(shipped: Embedder, question: str, right: str, wrong: str) -> None:
    near, far = cosine(shipped, question, right, wrong)
    assert near > far + 0.1


def test_a_figure_does_not_decide_what_a_text_is_about(shipped: Embedder) -> None:
    rows = shipped.embed_documents(["产量达到145万吨。", "产量达到1,096.5万吨。", "产量达到１４５万吨。"])
    assert np.array_equal(rows[0], rows[1])
    assert np.array_equal(rows[0], rows[2])


def test_the_folder_is_whole_readable_and_small() -> None:
    files = [path for path in DEFAULT_MODEL.rglob("*") if path.is_file()]
    assert {"README.md", "modules.json", "tokenizer.json", "model.safetensors"} <= {path.name for path in files}
    assert sum(path.stat().st_size for path in files) <= 40_000_000
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in files)


# By folder and by name


def test_a_static_model_is_the_mean_of_its_words(tiny: Path) -> None:
    rows = load_embedder(tiny).embed_documents(["粮食", "粮食，棉花", "粮食粮食棉花产量", "没有的字"])
    # (2,0); (2,2)/2; ((2,0)+(2,0)+(0,2)+(3,3))/4 = (7,5)/4; unknown characters have the zero vector
    expected = [[1, 0], [0.5**0.5, 0.5**0.5], [7 / 74**0.5, 5 / 74**0.5], [0, 0]]
    assert rows == pytest.approx(np.array(expected), abs=1e-6)


def test_a_name_loads_the_same_model_again(tiny: Path, shipped: Embedder) -> None:
    assert shipped.name == DEFAULT_MODEL.name
    for embedder in (shipped, load_embedder(tiny)):
        again = load_embedder(embedder.name)
        assert (again.name, again.revision) == (embedder.name, embedder.revision)


def test_the_revision_follows_the_model_and_not_its_card(tiny: Path) -> None:
    before = load_embedder(tiny).revision
    (tiny / "README.md").write_text("A model.")
    assert load_embedder(tiny).revision == before
    assert len(before) == 16
    tokenizer = unigram_tokenizer({"粮食": 3, "棉花": 2, "产量": 1})
    write_model(tiny, tokenizer, np.array([[0, 0], [2, 0], [0, 2], [3, 4]], dtype=np.float32))
    assert load_embedder(tiny).revision != before


@pytest.mark.parametrize(
    ("name", "question", "document"),
    [
        ("bge-large-zh-v1.5", "为这个句子生成表示以用于检索相关文章：", ""),
        ("multilingual-e5-base", "query: ", "passage: "),
        ("multilingual-e5-large-instruct", "", ""),
        ("some-model", "", ""),
    ],
)
def test_known_models_get_their_prefixes(tiny: Path, name: str, question: str, document: str) -> None:
    embedder = load_embedder(tiny.rename(tiny.parent / name))
    assert isinstance(embedder, StaticEmbedder)
    assert (embedder.question_prefix, embedder.document_prefix) == (question, document)


def test_prefixes_are_known_by_hub_name_and_by_cache_folder() -> None:
    assert known_prefixes("intfloat/e5-large-v2") == ("query: ", "passage: ")
    assert known_prefixes("/cache/models--BAAI--bge-small-zh-v1.5/snapshots/7999e1d3")[0].startswith("为这个句子")
    assert known_prefixes("owner/made5-base") == ("", "")


def test_the_folder_one_stands_in(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny)
    assert load_embedder(".").name == str(tiny)


def test_the_prefix_of_the_folder_and_of_the_caller_come_first(tiny: Path) -> None:
    config = tiny / "config_sentence_transformers.json"
    config.write_text(json.dumps({"prompts": {"query": "棉花"}}))
    said, given = load_embedder(tiny), load_embedder(tiny, question_prefix="")
    assert said.embed_questions(["粮食"]) == pytest.approx(said.embed_documents(["棉花粮食"]))
    assert said.embed_documents(["粮食"]) == pytest.approx(np.array([[1, 0]]))
    assert given.embed_questions(["粮食"]) == pytest.approx(np.array([[1, 0]]))


def test_a_quantised_model2vec_file_is_unfolded(tiny: Path) -> None:
    from safetensors.numpy import save_file

    file = {
        "embeddings": np.array([[0, 0], [1, 0], [0, 1]], dtype=np.float16),
        "mapping": np.array([0, 1, 2, 1]),
        "weights": np.array([1, 2, 1, 5], dtype=np.float32),
    }
    save_file(file, tiny / "model.safetensors")
    rows = load_embedder(tiny).embed_documents(["粮食棉花", "产量棉花"])
    assert rows == pytest.approx(np.array([[2, 1], [5, 1]]) / np.sqrt([[5], [26]]))


@pytest.mark.slow
def test_a_transformer_model_runs_with_its_prefixes(bert: Path) -> None:
    from sentence_transformers import SentenceTransformer

    embedder = load_embedder(bert, question_prefix="产量")
    assert isinstance(embedder, TransformerEmbedder)
    reference = SentenceTransformer(str(bert), device="cpu")
    rows = embedder.embed_questions(["粮食", "", "棉花是多少"])
    expected = reference.encode(["产量粮食", "产量棉花是多少"], normalize_embeddings=True)
    assert rows[[0, 2]] == pytest.approx(expected, abs=1e-5)
    assert not rows[1].any()
    assert embedder.embed_documents(["粮食"]) == pytest.approx(
        reference.encode(["粮食"], normalize_embeddings=True), abs=1e-5
    )
    assert embedder.embed_documents([]).shape == (0, embedder.dimension) == (0, 16)


# What is refused


def refusal(model: str | Path) -> str:
    with pytest.raises(ModelMissing) as caught:
        load_embedder(model)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith("。")
    return message


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "实际不存在" in refusal(tmp_path / "none")
    assert "实际不存在" in refusal(str(tmp_path / "none"))


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    assert "modules.json" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["modules.json", "tokenizer.json", "model.safetensors"])
def test_a_cut_file(tiny: Path, name: str) -> None:
    content = (tiny / name).read_bytes()
    (tiny / name).write_bytes(content[: len(content) // 2])
    assert name in refusal(tiny)


@pytest.mark.parametrize("name", ["tokenizer.json", "model.safetensors"])
def test_a_missing_file(tiny: Path, name: str) -> None:
    (tiny / name).unlink()
    assert name in refusal(tiny)


@pytest.mark.parametrize("content", ["{}", "[]", "[1]", '[{"type": "StaticEmbedding"}]'])
def test_a_list_of_modules_of_another_shape(tiny: Path, content: str) -> None:
    (tiny / "modules.json").write_text(content)
    assert "modules.json" in refusal(tiny)


@pytest.mark.parametrize("content", ["[]", "{", '{"prompts": ["query"]}'])
def test_prompts_of_another_shape(tiny: Path, content: str) -> None:
    (tiny / "config_sentence_transformers.json").write_text(content)
    assert "config_sentence_transformers.json" in refusal(tiny)


def test_vectors_that_are_too_few_or_not_numbers(tiny: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"embedding.weight": np.ones((3, 2), dtype=np.float32)}, tiny / "model.safetensors")
    assert "model.safetensors" in refusal(tiny)
    save_file({"embedding.weight": np.full((4, 2), np.nan, dtype=np.float32)}, tiny / "model.safetensors")
    assert "model.safetensors" in refusal(tiny)


def test_pickled_weights_are_never_read(tiny: Path) -> None:
    (tiny / "model.safetensors").rename(tiny / "pytorch_model.bin")
    assert "pickle" in refusal(tiny)


@pytest.mark.slow
def test_pickled_weights_of_one_module_are_enough_to_refuse(bert: Path, tmp_path: Path) -> None:
    model = shutil.copytree(bert, tmp_path / "model")
    (model / "2_Dense").mkdir()
    (model / "2_Dense" / "pytorch_model.bin").write_bytes(b"")
    assert "2_Dense" in refusal(model)


@pytest.mark.slow
def test_a_damaged_transformer_and_one_that_brings_code(bert: Path, tmp_path: Path) -> None:
    model = shutil.copytree(bert, tmp_path / "model")
    weights = next(model.rglob("model.safetensors"))
    whole = weights.read_bytes()
    weights.write_bytes(whole[:100])
    assert "sentence-transformers" in refusal(model)
    weights.write_bytes(whole)
    (model / "mine.py").write_text("raise SystemExit('ran')")
    modules = json.loads((model / "modules.json").read_text())
    modules[1]["type"] = "mine.Module"
    (model / "modules.json").write_text(json.dumps(modules))
    assert "sentence-transformers" in refusal(model)


def test_a_hub_name_that_is_not_cached_offline(tmp_path: Path) -> None:
    done = python(
        "from index.embed import load_embedder\nfrom index.errors import ModelMissing\n"
        "try:\n    load_embedder('some-owner/some-model')\nexcept ModelMissing as error:\n    print(error)",
        HF_HUB_OFFLINE="1",
        HF_HOME=str(tmp_path),
        PYTHONIOENCODING="utf-8",
    )
    assert "some-owner/some-model" in done.stdout, done.stderr
    assert "本地缓存里没有" in done.stdout


# The recipe


def test_articles_of_laws_lose_their_numbers_and_end_at_headings() -> None:
    lines = [
        "某条例",
        "第一条 为了规范管理，制定本条例。",
        "第二条 有下列情形的，给予补助：",
        "（一）家庭困难；",
        "（二）患有重病。",
        "第二章 附则",
        "本章说明。",
        "第三条 本条例自公布之日起施行。由市政府解释。",
    ]
    assert articles(lines) == [
        ("有下列情形的，给予补助：", "家庭困难；", "患有重病。"),
        ("本条例自公布之日起施行。", "由市政府解释。"),
    ]


def test_a_lexicon_line_of_another_shape_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.tsv"
    path.write_text("# word\tterms\tfield\n饭碗\t就业|岗位\t就业\n", encoding="utf-8")
    assert [(entry.word, entry.terms) for entry in read_lexicon(path)] == [("饭碗", ("就业", "岗位"))]
    path.write_text("饭碗\t就业\n娃娃 儿童\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"lexicon\.tsv:2"):
        read_lexicon(path)


def test_prepared_questions_stand_with_the_sentences_that_answer(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    plan = tmp_path / "plan.txt"
    passage = "甲已经建成。乙正在建设；丙还没有。"
    plan.write_text(f"{passage}\n丁是另一回事。\n", encoding="utf-8")
    row = {"passage": text_hash(passage).decode(), "questions": [["乙呢？", 6, 17], ["都有什么？", 0, 17]]}
    path.write_text(json.dumps(row), encoding="utf-8")
    (prepared,) = read_prepared(path, plan)
    assert prepared.questions == ("乙呢？", "都有什么？")
    assert [text.split()[-1] for text in prepared.sentences] == ["甲已经建成。", "乙正在建设；丙还没有。"]
    assert prepared.gold_sentences == ((1,), (0, 1))
    assert prepared.gold_wholes == ((0,), (0,))


def test_prepared_questions_of_another_text_are_refused(tmp_path: Path) -> None:
    path, plan = tmp_path / "questions.jsonl", tmp_path / "plan.txt"
    plan.write_text("甲已经建成。\n", encoding="utf-8")
    path.write_text(json.dumps({"passage": "0" * 16, "questions": [["乙呢？", 0, 3]]}), encoding="utf-8")
    with pytest.raises(ValueError, match=r"plan\.txt"):
        read_prepared(path, plan)


def test_made_up_passages_are_learnt_from_by_sentence(tmp_path: Path) -> None:
    path = tmp_path / "passages.jsonl"
    row = {
        "field": "",
        "title": "养老",
        "sentences": ["建床位。", "发津贴。"],
        "questions": [["给钱吗", 1], ["能住吗", 0]],
    }
    path.write_text(json.dumps(row), encoding="utf-8")
    (passage,) = read_passages(path)
    assert passage.sentences == ("养老 建床位。", "养老 发津贴。")
    assert passage.wholes == ("养老 建床位。 发津贴。",)
    assert (passage.questions, passage.gold_sentences) == (("给钱吗", "能住吗"), ((1,), (0,)))


@pytest.mark.slow
def test_late_interaction_by_hand() -> None:
    import torch

    from index.train.contrast import Words, late

    # words 甲 east, 乙 north, 丙 between them at weight 2; none inside another
    own = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])
    words = Words(own, torch.zeros(4, 2), torch.zeros(4), torch.zeros(0, dtype=torch.int64), torch.zeros(5).long())
    scores = late(words, [[1, 2], [3]], [[1], [2, 3]])
    half = 2**-0.5
    # 甲乙 against 甲: (1 + 0) / 2; against 乙丙: 甲 is met by 丙 at cos 45 degrees, 乙 by itself
    assert scores.tolist()[0] == pytest.approx([0.5, (half + 1) / 2], abs=1e-6)
    assert scores.tolist()[1] == pytest.approx([half, 1.0], abs=1e-6)


def test_a_term_is_found_the_longest_first_and_not_beyond_the_limit() -> None:
    from index.train.corpus import Entry

    lexicon = [Entry("退休钱", ("养老金", "养老")), Entry("老了", ("养老",))]
    found = occurrences([("发放养老金。", "支持养老。"), ("养老，养老。",)], lexicon, limit=2)
    assert [(at.article, at.sentence, at.start, at.term, at.words) for at in found] == [
        (0, 0, 2, "养老金", ("退休钱",)),
        (0, 1, 2, "养老", ("退休钱", "老了")),
        (1, 0, 0, "养老", ("退休钱", "老了")),
    ]


def test_dropping_tokens_never_empties_a_text() -> None:
    rng = random.Random(0)
    assert drop([1, 2, 3], 1.0, rng) == [1, 2, 3]
    assert drop([1, 2, 3], 0.0, rng) == [1, 2, 3]
    kept = [len(drop(list(range(10)), 0.4, rng)) for _ in range(500)]
    assert sum(kept) / 500 == pytest.approx(6, abs=0.3)


def test_the_tokenizer_takes_the_likelier_words_and_knows_what_is_inside_them() -> None:
    words = ["<unk>", "养老金", "养老", "养", "老", "金", "0"]
    tokenizer = unigram_tokenizer(dict.fromkeys(words[1:], 5))
    tokens = [tokenizer.id_to_token(token) for token in encode(tokenizer, ["养老金，养老 12.5"])[0]]
    assert tokens == ["养老金", "养老", "0"]
    assert [{words[i] for i in inside} for inside in contained_words(words)] == [
        set(),
        {"养老", "养", "老", "金"},
        {"养", "老"},
        *[set()] * 4,
    ]


def test_a_passage_ranks_by_its_best_text_and_ties_count_against_it() -> None:
    vectors = {"q": [1.0, 0.0], "a1": [0.0, 1.0], "a2": [0.8, 0.6], "b": [0.6, 0.8], "c": [0.8, -0.6]}
    measured = RetrievalSet("set", ("q", "q"), (0, 1), ("a1", "a2", "b", "c"), (0, 0, 1, 2))

    def embed(texts: tuple[str, ...]) -> NDArray[np.float32]:
        return np.array([vectors[text] for text in texts], dtype=np.float32)

    # best of a 0.8, of b 0.6, of c 0.8
    assert ranks(measured, embed).tolist() == [2, 3]


@pytest.mark.slow
def test_cooccurrence_and_pmi_by_hand() -> None:
    from index.train.vectors import cooccurrence, positive_pmi

    counts = cooccurrence([[0, 1, 2], [2]], 3, window=2)
    # neighbours count 1, those two apart 1/2, never across texts
    assert counts.to_dense().tolist() == [[0, 1, 0.5], [1, 0, 1], [0.5, 1, 0]]
    # sums 1.5, 2, 1.5 of 5: PMI(0,1) = ln(1 * 5 / (1.5 * 2)), PMI(0,2) = ln(0.5 * 5 / (1.5 * 1.5))
    near, apart = np.log(5 / 3), np.log(2.5 / 2.25)
    pmi = positive_pmi(counts, smoothing=1.0, least=0.1).to_dense().numpy()
    assert pmi == pytest.approx(np.array([[0, near, apart], [near, 0, near], [apart, near, 0]]), abs=1e-6)
    assert positive_pmi(counts, smoothing=1.0).to_dense().numpy()[0] == pytest.approx([0, near, 0], abs=1e-6)


@pytest.mark.slow
def test_the_same_passage_under_another_question_is_no_wrong_answer() -> None:
    import torch

    from index.train.contrast import pair_loss, start
    from index.train.lessons import Pair

    words = ["<unk>", "甲", "乙"]
    tokenizer = unigram_tokenizer({"甲": 1, "乙": 1})
    table = start(np.eye(3, 4, dtype=np.float32), np.ones(3), words, seed=0)
    same = pair_loss(table, [Pair([1], [2]), Pair("甲", [2])], tokenizer, scale=10.0)
    assert same.item() == pytest.approx(0, abs=1e-6)
    mixed = pair_loss(table, [Pair([1], [2]), Pair([1], [1])], tokenizer, scale=10.0)
    to_self, to_other = 10.0, 10 * torch.cosine_similarity(*table.own[1:], dim=0).item()
    expected = np.logaddexp(to_self, to_other) - (to_self + to_other) / 2
    assert mixed.item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.slow
def test_the_recipe_makes_the_same_model_twice_and_learns_what_it_is_taught(tmp_path: Path) -> None:
    from index.train.__main__ import main

    subjects = ["养老", "医疗", "教育", "交通", "水利", "森林", "煤炭", "旅游", "粮食", "住房"]
    laws = [
        f"第{number}条 本市加强{a}工作，完善{b}服务。有关部门应当保障{a}经费，发展{b}事业。"
        for number in "一二三四五"
        for a, b in itertools.pairwise(subjects)
    ]
    slang = ["退休", "看病", "上学", "坐车", "浇水", "种树", "挖煤", "游玩", "种粮", "买房"]
    (tmp_path / "laws.txt").write_text("\n".join(laws), encoding="utf-8")
    (tmp_path / "plan.txt").write_text("\n".join(f"发展{s}事业。做好{s}工作。" for s in subjects), encoding="utf-8")
    (tmp_path / "lexicon.tsv").write_text("\n".join(map("\t".join, zip(slang, subjects, strict=True))), "utf-8")
    plan = [f"发展{subject}事业。做好{subject}工作。" for subject in subjects]
    rows = [
        {"passage": text_hash(text).decode(), "questions": [[f"{word}怎么办？", 0, len(text)]]}
        for text, word in zip(plan, slang, strict=True)
    ]
    made_up = {"field": "", "title": "养老", "sentences": ["建养老床位。"], "questions": [["退休住哪", 0]]}
    (tmp_path / "passages.jsonl").write_text(json.dumps(made_up), encoding="utf-8")
    (tmp_path / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    inputs = [
        f"--{name}={tmp_path / file}"
        for name, file in [
            ("laws", "laws.txt"),
            ("plan", "plan.txt"),
            ("lexicon", "lexicon.tsv"),
            ("questions", "questions.jsonl"),
            ("passages", "passages.jsonl"),
        ]
    ]
    for run in ("one", "two"):
        main([*inputs, f"--out={tmp_path / run}", "--steps=150", "--dimension=32"])
    first, second = load_embedder(tmp_path / "one"), load_embedder(tmp_path / "two")
    assert first.revision == second.revision
    passages = first.embed_documents([f"{s}工作" for s in subjects])
    found = (first.embed_questions([f"{word}怎么办" for word in slang]) @ passages.T).argmax(axis=1)
    assert (found == np.arange(10)).sum() >= 9
