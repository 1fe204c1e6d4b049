"""Puts the published checkpoints into the package; everything else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

# What a training leaves beside its weights: its state, and pictures of other people's data.
UNPUBLISHED = shutil.ignore_patterns("state.p*", "validation.png", "tensorboard")


class WithCheckpoints(build_py):
    """The package, and beside its modules the weights that it ships."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            place = Path(self.build_lib) / "recon" / "checkpoints"
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree("checkpoints", place, ignore=UNPUBLISHED)


setup(cmdclass={"build_py": WithCheckpoints})
