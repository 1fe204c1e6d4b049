"""``python train.py publish NAME --repo-id ORG/NAME``: a checkpoint becomes a model on the Hub."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import safetensors.torch
from huggingface_hub import CommitOperationAdd, HfApi

from recon.methods import METHODS
from recon.training.hub_card import benchmark_rows, hub_card
from recon.weights import SHIPPED, Store, WeightsError, checkpoint, hub

EXTRA = ("record.json", "loss.csv", "loss.png")  # go along where they are
COLLECTION = "MRI from a quarter of the measurements"
COLLECTION_CARD = (
    "Networks that repair undersampled MRI, each with its training record and scores. "
    "Research and teaching, not for diagnosis."
)  # the Hub allows 150 characters


def files(store: Store, name: str, repo: str) -> dict[str, bytes]:
    """What goes to the Hub, by path: weights in one file, configuration, card and record.

    Raises
    ------
    WeightsError
        If the checkpoint is missing, damaged, of no method, or came without a record.
    """
    store.load(name)  # fits the network
    config, record, folder = store.config(name), store.record(name), store.places()[name]
    if config.architecture not in METHODS:
        raise WeightsError(
            f"'{name}' is shown while it learns and is no method that anybody could choose; "
            f"publish one of {', '.join(METHODS)}."
        )
    if not checkpoint.intact(folder):  # by now
        raise WeightsError(f"The weights '{name}' are damaged; make them again.")
    parts = [path.read_bytes() for path in checkpoint.weight_files(folder)]
    if len(parts) > 1:  # the Hub takes large files, and its mixin looks for one
        tensors = {k: v for part in parts for k, v in safetensors.torch.load(part).items()}
        parts = [safetensors.torch.save(tensors)]
    config = replace(config, sha256=hashlib.sha256(parts[0]).hexdigest())
    card = hub_card(repo, config, record, benchmark_rows(store.folder / "benchmark.csv"))
    extra = {n: (folder / n).read_bytes() for n in EXTRA if (folder / n).is_file()}
    return {
        "README.md": str(card).encode(),
        "config.json": config.text().encode(),
        "model.safetensors": parts[0],
        **extra,
    }


def publish(repo: str, content: dict[str, bytes], private: bool) -> str:
    """Upload everything in one commit.

    Returns
    -------
    The full revision that was made.

    Raises
    ------
    WeightsError
        If the Hub does not take it, or has a public repository of a name that is to be private.
    """
    api = HfApi()
    try:
        api.create_repo(repo, private=private or None, exist_ok=True)
        if not private or api.model_info(repo).private:
            operations = [CommitOperationAdd(path, data) for path, data in content.items()]
            return api.create_commit(repo, operations, commit_message="Publish weights").oid
    except (*hub.ERRORS, RuntimeError) as error:  # the last one where a large file broke off
        raise WeightsError(hub.sentence(error, repo, writing=True)) from error
    raise WeightsError(f"{repo} exists already and is public; nothing was uploaded.")


def collect(repo: str, private: bool) -> None:
    """Put a model into its owner's collection, which is made if need be.

    Raises
    ------
    WeightsError
        If the Hub does not take it.
    """
    api = HfApi()
    owner = repo.partition("/")[0]
    try:
        collection = api.create_collection(
            COLLECTION,
            namespace=owner,
            description=COLLECTION_CARD,
            private=private,
            exists_ok=True,
        )
        api.add_collection_item(collection.slug, repo, "model", exists_ok=True)
    except hub.ERRORS as error:
        raise WeightsError(hub.sentence(error, repo, writing=True)) from error


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit status is 1 if the checkpoint cannot be published."""
    parser = argparse.ArgumentParser(prog="python train.py publish", description=__doc__)
    parser.add_argument("name", help="of the checkpoint, such as resnet-4x")
    parser.add_argument("--repo-id", required=True, metavar="ORG/NAME")
    parser.add_argument("--private", action="store_true", help="only its owner sees the model")
    parser.add_argument("--yes", action="store_true", help="upload; without it nothing is sent")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder of the checkpoints")
    options = parser.parse_args(arguments)
    repo = options.repo_id
    if not hub.REFERENCE.fullmatch(repo) or "@" in repo:
        parser.error("a repository of the Hub is written ORG/NAME")
    try:
        content = files(Store(options.out), options.name, repo)
        for path, data in content.items():
            print(f"{len(data):>12,} bytes  {path}")
        if not options.yes:
            print(content["README.md"].decode().split("\n---\n")[0])
            print(f"---\nNothing was sent. With --yes this becomes {repo} on the Hub.")
            return 0
        commit = publish(repo, content, options.private)
        print(f"Published. Use it with: --weights {repo}@{commit}")
        collect(repo, options.private)
    except WeightsError as error:
        print(f"train.py publish: {error}", file=sys.stderr)
        return 1
    print(f"It is in the collection “{COLLECTION}” of {repo.partition('/')[0]}.")
    return 0
