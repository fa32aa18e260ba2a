"""The Gradio page: `python app.py`. Arguments, the tabs put together, and the server; the tabs are in page/."""

from __future__ import annotations

import argparse
import errno
import os
import re
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from index.errors import UserError
from page.batch import build_batch
from page.bench import Bench
from page.chat import build_chat
from page.drawing import render_header
from page.evaluation import build_evaluation
from page.register import build_register
from rag.config import Config
from rag.pipeline import Pipeline, open_pipeline

if TYPE_CHECKING:
    import gradio as gr

PAGE = Path(__file__).resolve().parent / "page"
FONTS = ("Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "sans-serif")
# What is built before head.html can speak for a browser that is set to English: the tables' menu, the place for files.
TABLE_MENU = {
    "dataframe.sort_ascending": "升序排序",
    "dataframe.sort_descending": "降序排序",
    "dataframe.clear_sort": "清除排序",
    "upload_text.drop_file": "把文件拖到这里",
    "upload_text.click_to_upload": "点击选择文件",
    "common.or": "或",
}


class PageError(UserError):
    """The page cannot be opened at the host and port asked for."""


def build_page(pipeline: Pipeline, config: Config | None = None, bench: Bench | None = None) -> gr.Blocks:
    """The page, ready to launch. `config` is what the pipeline was opened with: workers of a batch open it again.
    `bench` is what its evaluations run on, by default with the same settings."""
    import gradio as gr

    names = "、".join(document.title for document in pipeline.documents)
    # What was downloaded is forgotten within a day (seconds between the rounds, seconds of age).
    page = gr.Blocks(
        title=f"规划问答 · {names}", fill_width=True, analytics_enabled=False, delete_cache=(86_400, 86_400)
    )
    with page:
        gr.HTML(render_header(pipeline.documents, pipeline.backend), elem_id="header")
        with gr.Tabs(elem_id="pages"):
            with gr.Tab("问答", render_children=True):
                build_chat(pipeline)
            with gr.Tab("指标台账") as register:
                build_register(pipeline, register)
            with gr.Tab("批量答复") as batch:
                build_batch(pipeline, config or Config(), batch)
            with gr.Tab("评测") as evaluation:
                build_evaluation(bench or Bench(config or Config()), pipeline.documents, evaluation)
    page.queue(default_concurrency_limit=4)
    return page


def check_port(host: str, port: int) -> None:
    """PageError when the page could not listen there."""
    try:
        with socket.create_server((host, port)):
            return
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"端口 {port} 已被别的程序占用：请关闭该程序，或用 --port 指定另一个端口。"
        elif error.errno == errno.EACCES:
            reason = f"没有权限使用端口 {port}：请用 --port 指定一个大于 1023 的端口。"
        else:
            reason = f"--host 应为本机的 IPv4 地址或主机名，收到“{host}”，无法在其上监听：请改用 127.0.0.1。"
        raise PageError(reason) from error


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python app.py", description="打开规划问答的网页。", add_help=False)
    parser.add_argument("-h", "--help", action="help", help="显示本说明")
    parser.add_argument("--host", default="127.0.0.1", help="监听的地址，默认 %(default)s（只有本机能访问）")
    parser.add_argument("--port", default="7860", metavar="N", help="监听的端口，默认 %(default)s")
    parser.add_argument("--index", type=Path, metavar="DIR", help="索引所在的文件夹，默认为自带规划的索引")
    parser.add_argument(
        "--llm",
        default=Config.llm,
        help="由谁回答，默认 %(default)s（摘录原文，不需要模型）；transformers:模型 或 server:模型@http://地址/v1",
    )
    parser.add_argument(
        "--quantize", metavar="int8",
        help="本机的大模型权重按 8 位存放，省一半多内存，写得慢；缺省不用，须先 pip install torchao==0.18.0",
    )  # fmt: skip
    parser.add_argument(
        "--reranker", metavar="MODEL", help="重排检索结果的模型：文件夹或名称，如 BAAI/bge-reranker-v2-m3；缺省不用"
    )
    parsed = parser.parse_args(arguments)
    if not re.fullmatch(r"[0-9]{1,5}", parsed.port) or not 1 <= int(parsed.port) <= 65535:
        raise PageError(f"--port 应为 1 到 65535 的整数，收到“{parsed.port}”：请改用其他端口号，例如 7860。")
    parsed.port = int(parsed.port)
    return parsed


def launch(page: gr.Blocks, host: str, port: int) -> None:
    """Serve the page in the background. PageError when the port is taken."""
    import gradio as gr

    check_port(host, port)
    page.launch(
        server_name=host,
        server_port=port,
        theme=gr.themes.Default(primary_hue="blue", neutral_hue="slate", font=FONTS, font_mono=FONTS),
        css=(PAGE / "style.css").read_text(encoding="utf-8"),
        head=(PAGE / "head.html").read_text(encoding="utf-8"),
        i18n=gr.I18n(en=TABLE_MENU),
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        share=False,
        enable_monitoring=False,
        quiet=True,
        prevent_thread_lock=True,
    )


def serve(config: Config, host: str, port: int) -> None:
    """Open the page and stay until interrupted. The port is looked at first: loading the index takes longer."""
    check_port(host, port)
    # Read by gradio and the model libraries when they are imported: nothing may be sent, and nothing fetched but a
    # model that the user has named.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("HF_HUB_OFFLINE", "0" if config.to_fetch else "1")
    bench = Bench(config)
    page = build_page(open_pipeline(config, lambda message: print(message, flush=True)), config, bench)
    launch(page, host, port)
    print(f"页面已打开：http://{host}:{port}（按 Ctrl+C 结束）", flush=True)
    try:
        page.block_thread()
    finally:
        bench.stop(wait=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 2 when the user has something to mend, which is then printed in one line."""
    try:
        parsed = parse_arguments(arguments)
        config = Config(parsed.index, parsed.llm, reranker=parsed.reranker, quantize=parsed.quantize)
        serve(config, parsed.host, parsed.port)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
