"""Small pictures beside the names in the list of examples."""

from __future__ import annotations

import base64

import numpy as np

from recon import examples, figures, phantom
from recon.coils.simulate import Loops, plane, sensitivities
from recon.measurement import picture

SIZE = 40  # pixels on a side


def style() -> str:
    """A style sheet for the list of `controls.build`; scans that are downloaded have an arrow."""
    head = picture(examples.load("head").data)
    object_ = phantom.image((SIZE, SIZE))
    # Four of the coils, one in each quarter, as each sees the object best near to it.
    half = phantom.image((SIZE // 2, SIZE // 2))
    coils = np.abs(sensitivities(Loops.ring(8), half.shape, plane()) * half)[[0, 6, 2, 4]] ** 0.5
    quarters = np.block([[coils[0], coils[1]], [coils[2], coils[3]]])
    step = max(1, min(head.shape) // SIZE)
    pictures = {"head": head[::step, ::step], "phantom": object_, "phantom-coils": quarters}
    rules = []
    for number, (key, example) in enumerate(examples.EXAMPLES.items()):
        place = f"#example li[data-index='{number}']::before"
        if key in pictures:
            image = np.abs(pictures[key])
            data = base64.b64encode(figures.png(figures.gray(image, figures.white(image))))
            rules.append(
                f"{place} {{ background-image: url('data:image/png;base64,{data.decode()}') "
                "!important; }"
            )
        elif example.remote:
            rules.append(f"{place} {{ content: '\\21E3' !important; }}")
    return f"<style>{''.join(rules)}</style>"
