"""Takes out of what is installed what no image needs, and compiles of the rest what is used: `slim.py server` or `all`.

A container has a read-only root, so that what is not compiled here is compiled anew at each start. Compiling
everything would take 290 MB; this takes a quarter of that.
"""

import importlib
import shutil
import sys
import sysconfig
from pathlib import Path

HERE = Path(sysconfig.get_paths()["purelib"])

#: Those of `server.web.i18n.LANGUAGES`, and what they are based on.
LANGUAGES = ("root", "en", "de", "fr")

#: What importing our own code would import.
USED = {
    "server": (
        "alembic.command", "alembic.config", "babel.messages.mofile", "babel.messages.pofile", "babel.numbers",
        "cryptography.hazmat.primitives.asymmetric.ed25519", "fastapi.openapi.utils", "fastapi.sse", "fastapi_offline",
        "httpx", "httpx_sse", "jinja2.ext", "markdown_it", "openskill.models", "platformdirs",
        "prometheus_client.multiprocess", "psycopg",
        "pydantic.v1", "pydantic_settings", "redis.asyncio", "resvg_py", "segno",
        "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite", "sqlalchemy.orm",
        "starlette.staticfiles", "structlog", "tokenizers", "typer.rich_utils", "uharfbuzz",
        "uvicorn.protocols.http.h11_impl",
    ),
    "all": (
        "gguf", "huggingface_hub", "safetensors.torch", "torch", "transformers.models.auto.modeling_auto",
        "transformers.models.gemma3.modeling_gemma3", "transformers.models.gpt2.modeling_gpt2",
        "transformers.models.llama.modeling_llama", "transformers.models.qwen3.modeling_qwen3",
    ),
}  # fmt: skip


def unneeded() -> list[Path]:
    """PyTorch's headers, tools and tests are for those who build on it; a language's data for who speaks it."""
    folders = ["torch/include", "torch/share", "torch/test", "torch/bin/upgrader_models", "caffe2"]
    files = [*HERE.glob("torch/lib/*.a"), *HERE.glob("torch/lib/*_test.so")]
    files += [each for each in HERE.glob("torch/bin/*") if each.name != "torch_shm_manager"]
    files += [
        each
        for each in HERE.glob("babel/locale-data/*.dat")
        if each.stem.replace("_", ".").split(".")[0] not in LANGUAGES
    ]
    tests = [
        found for name in ("numpy", "scipy", "sympy", "mpmath", "networkx") for found in (HERE / name).rglob("tests")
    ]
    return [*(HERE / folder for folder in folders), *files, *tests]


if __name__ == "__main__":
    for path in unneeded():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for module in USED[sys.argv[1]]:
        importlib.import_module(module)
