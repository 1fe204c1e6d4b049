"""Experiments on one slice that show why reconstruction works, and where it fails.

Each module is one experiment on a `recon.scan.Scan`, judged as the scan judges, and knows nothing
of pages or pictures. Experiments that take time are generators, so that whoever runs them can
show what is done so far.
"""
