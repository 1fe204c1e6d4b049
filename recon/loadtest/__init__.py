"""A crowd at the door, in miniature: many visitors at once, and what may go wrong meanwhile.

``python -m recon.loadtest`` starts the app on this machine, sends visitors to it through Gradio's
client library, and compares every number they are given with one that is computed here. It talks
to this machine alone and ends by itself.
"""
