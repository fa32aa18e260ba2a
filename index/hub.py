"""Models that are named as on the Hugging Face hub: found in the cache, else fetched.

The cache is asked first: a model that is there whole costs no look at the network and stays the one it was. HF_ENDPOINT
names another hub, HF_HUB_OFFLINE=1 forbids the network; what was fetched in part is gone on with.
"""

from __future__ import annotations

import errno
import os
import re
from contextlib import suppress
from pathlib import Path

from index.errors import ModelMissing

HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
# What a model consists of, and how a language model is asked. Weights as safetensors only.
FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS}


def on_hub(model: str) -> bool:
    """Whether a model is named as on the hub: owner/name, and no folder here."""
    return HUB_NAME.fullmatch(model) is not None and not Path(model).expanduser().is_dir()


def cached(model: str) -> Path | None:
    """The folder of a model in the cache, None where it is not there or known to be there in part. Never asks the
    network."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, allow_patterns=list(FILES), local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None


def fetched(model: str, kind: str) -> Path:
    """The folder of a model, fetched with a progress bar where it is not in the cache; `kind` is what an error calls
    it. Raises ModelMissing."""
    if os.environ.get("HF_ENDPOINT"):
        # Large files would come through Xet, whose servers a mirror does not stand in for
        # (https://github.com/huggingface/xet-core/issues/470). Read when huggingface_hub is imported.
        os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    from httpx2 import HTTPError  # what huggingface_hub speaks HTTP with
    from huggingface_hub import get_cached_repo_tree, snapshot_download
    from huggingface_hub.errors import CachedRepoTreeNotFoundError, XetDownloadError

    if (folder := cached(model)) is not None:
        # Without a list of its files (single ones were fetched, or all by an old version) the hub is asked whether it
        # is whole.
        with suppress(CachedRepoTreeNotFoundError):
            get_cached_repo_tree(model)
            return folder
    try:
        return Path(snapshot_download(model, allow_patterns=list(FILES)))
    except (OSError, HTTPError, ValueError, XetDownloadError) as error:  # ValueError: a name, or JSON, that is none
        raise ModelMissing(
            f"应有{kind} {model}（文件夹或模型网站上的名称），实际没有这个文件夹，本地缓存里没有，"
            f"{_hindrance(model, error)}"
        ) from error


def _hindrance(model: str, error: Exception) -> str:
    """Why a model could not be fetched, and what to do."""
    from huggingface_hub.constants import ENDPOINT
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    # That the cache does not hold it either hides what the hub said.
    hidden = error.__cause__ if isinstance(error, LocalEntryNotFoundError) else None
    cause = hidden if isinstance(hidden, Exception) else error
    elsewhere = f"在能上网的机器上运行 hf download {model} --local-dir 文件夹，再给出这个文件夹"
    if isinstance(cause, OfflineModeIsEnabled):
        return f"又不许联网（HF_HUB_OFFLINE=1）：请去掉这个设置，或{elsewhere}。"
    if isinstance(cause, GatedRepoError):
        return f"{ENDPOINT} 上的要先同意许可：请在网站上同意，运行 hf auth login 后再试。"
    if isinstance(cause, RepositoryNotFoundError | HFValidationError):
        return f"{ENDPOINT} 上也没有：请核对名称（不公开的先运行 hf auth login）。"
    if isinstance(cause, OSError) and cause.errno in DISK:
        return f"取来写不进磁盘（{cause.strerror}）：请腾出空间，或用 HF_HOME 换一个能写的文件夹。"
    status = f"{cause.response.status_code}" if isinstance(cause, HfHubHTTPError) else type(cause).__name__
    return (
        f"也未能从 {ENDPOINT} 取得（{status}）：请检查网络后重试（取到一半的会接着取），"
        f"可用 HF_ENDPOINT=镜像地址 换一个网站，或{elsewhere}。"
    )
