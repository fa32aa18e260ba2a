# On a fresh machine with Python 3.10 or newer: `make chat` to ask, `make` or `make test` to check. `make help` lists all.

PYTHON ?= python3
ARGS ?=
LLM ?=

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check --no-compile -qq
FAILED = echo '软件包没有装成，原因见上一行：请检查网络和磁盘空间后再运行一次；下载慢可以加 PIP_INDEX_URL=镜像地址。' >&2; exit 1
# Written when everything before it has worked, so that a set-up that was interrupted is done again.
RUNTIME := $(VENV)/runtime.done
DEV := $(VENV)/dev.done

.DEFAULT_GOAL := test
.DELETE_ON_ERROR:
.PHONY: help setup chat test eval bench fit bench-llm bench-lock

# A .venv whose Python is gone (the system's was upgraded, the folder was half copied) is made anew.
ifneq ($(shell $(PY) -c 'import pip; print("alive")' 2>/dev/null),alive)
.PHONY: $(RUNTIME)
endif

help:
	@echo 'make chat    打开问答网页 127.0.0.1:7860（自动安装、建索引） · set up, index, open the chat'
	@echo '             make chat ARGS="--port 8000" 传参数给 app.py · passes options to app.py'
	@echo '             make chat LLM=transformers:Qwen/Qwen3-1.7B 由大模型回答 · a language model answers'
	@echo 'make test    安装、代码检查、类型检查、全部测试（缺省） · set up, lint, type-check, test (default)'
	@echo 'make setup   只安装，不启动 · only the set-up'
	@echo 'make eval    评测：核对题集，问完开发集和测试集，写入 eval/results/ · evaluate, results in eval/results/'
	@echo 'make bench   批量答复的速度、内存，中断后续答是否一致 · rows a second, memory, resuming after kills'
	@echo 'make fit     在开发集上重新拟合权重 · fit the weights on the development set again'
	@echo 'make bench-llm   大模型的速度，各项开与关 · speed of language models, features on and off'
	@echo 'make bench-lock  数字锁的一万次生成 · ten thousand generations under the number lock'
	@echo 'make help    显示本说明 · this list'
	@echo 'PYTHON=/path/to/python3 指定安装所用的 Python（3.10 或更新） · the Python to set up with'

setup: $(RUNTIME)
	@echo '已装好：$(VENV)。下一步：make chat'

chat: $(RUNTIME)
	$(PY) app.py $(if $(LLM),--llm '$(LLM)') $(ARGS)

# All three run, so that one report shows everything; the tests come last.
test: $(DEV)
	@failed=0; \
	$(PY) -m ruff check . || failed=1; \
	$(PY) -m mypy || failed=1; \
	$(PY) -m pytest $(ARGS) || failed=1; \
	exit $$failed

# The test set is asked for the record only: nothing is fitted on it, no rule is written after its mistakes.
eval: $(RUNTIME)
	$(PY) -m eval check
	$(PY) -m eval run --set dev --out eval/results/dev --jobs 2 --fresh
	@echo '$(PY) -m eval run --set test …, once more --mutate; beside them eval ablate --set test'
	@$(PY) -m eval ablate --set test --out eval/results/ablation & beside=$$!; \
	$(PY) -m eval run --set test --out eval/results/test --fresh \
	&& $(PY) -m eval run --set test --mutate --out eval/results/test-mutated --fresh; runs=$$?; \
	wait $$beside && exit $$runs
	$(PY) -m eval report eval/results/dev
	$(PY) -m eval report eval/results/test
	$(PY) -m eval summary eval/results

bench: $(RUNTIME)
	$(PY) -m eval.bench.batch $(ARGS)

fit: $(DEV)
	$(PY) -m eval fit $(ARGS)

bench-llm: $(RUNTIME)
	$(PY) -m eval.bench.llm $(ARGS)

bench-lock: $(DEV)
	LOCK_GENERATIONS=10000 $(PY) -m pytest tests/test_number_lock.py -k past_the_lock $(ARGS)

# Compiled in a step of its own: it uses every core, and it works where PYTHONDONTWRITEBYTECODE is set, without which
# each start of the page would compile gradio again. Some packages ship files that are not meant for this Python, hence
# no word and no failure for those.
define compile
@$(PY) -m compileall -qq -j 0 $(VENV)/lib || true
endef

$(RUNTIME): requirements.txt
	@command -v '$(PYTHON)' >/dev/null || { \
	  echo '需要 Python 3.10 或更新的版本，没有找到 $(PYTHON)：请先安装 Python，或用 make PYTHON=/path/to/python3 指定。' >&2; \
	  exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "需要 Python 3.10 或更新的版本，$(PYTHON) 是 $$('$(PYTHON)' -V 2>&1)：请安装新版本，或用 make PYTHON=/path/to/python3 指定。" >&2; \
	  exit 1; }
	@'$(PYTHON)' -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo '$(PYTHON) 缺少 venv 或 ensurepip 模块：请安装（Debian、Ubuntu：sudo apt-get install python3-venv），或用 make PYTHON=/path/to/python3 指定另一个 Python。' >&2; \
	  exit 1; }
	@echo '正在安装运行所需的软件包到 $(VENV)，第一次需要几分钟…'
	@rm -rf $(VENV)
	@'$(PYTHON)' -m venv $(VENV)
	@$(PIP) -r requirements.txt || { $(FAILED); }
	$(compile)
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	@echo '正在安装测试所需的软件包…'
	@$(PIP) -r requirements-dev.txt || { $(FAILED); }
	$(compile)
	@touch $@
