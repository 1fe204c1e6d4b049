"""Reconstruction of undersampled MRI: masks, physics, networks and the page that shows them."""
