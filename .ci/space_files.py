"""``python .ci/space_files.py USER/SPACE [ORG/MODEL ...]``: what is pushed as a Space.

The committed files, in ``out/push``, and in the README's front matter what depends on where they
go: the thumbnail, which the Hub takes as an address only, and the models on the Hub that hold the
same weights, if `python train.py publish` put them there.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
THUMBNAIL = "docs/screenshot.png"  # of the page, by .ci/screenshots.py


def committed(folder: Path) -> None:
    """Empty a folder and put the committed files there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True)
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)


def filled(readme: str, space: str, models: Sequence[str]) -> str:
    """The README with a thumbnail, and the models, in its front matter."""
    address = f"https://huggingface.co/spaces/{space}/resolve/main/{THUMBNAIL}"
    lines = [f"thumbnail: {address}", *(["models:"] if models else [])]
    lines += [f"  - {model}" for model in models]
    start, block, text = readme.split("---\n", 2)
    return "---\n".join([start, block + "\n".join(lines) + "\n", text])


def main(arguments: Sequence[str] | None = None) -> None:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError

    parser = argparse.ArgumentParser(prog="space_files.py", description=__doc__)
    parser.add_argument("space", metavar="USER/SPACE")
    parser.add_argument("models", metavar="ORG/MODEL", nargs="*")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "push")
    options = parser.parse_args(arguments)
    for model in options.models:
        try:
            HfApi().model_info(model)
        except RepositoryNotFoundError:
            parser.error(f"the Hub has no model {model}; python train.py publish uploads one")
    committed(options.out)
    readme = options.out / "README.md"
    readme.write_text(filled(readme.read_text("utf-8"), options.space, options.models), "utf-8")
    print(f"hf upload {options.space} {options.out} . --repo-type space")


if __name__ == "__main__":
    main()
