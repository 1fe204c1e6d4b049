"""``python -m recon.benchmark``: every method on the same slices and masks, in one run.

Reads top to bottom: `sets` (what is reconstructed), `contenders` (by whom, and at what cost),
`scoring` (how well), `report` and `chart` (how it is told). Nothing here is needed by the page.
"""
