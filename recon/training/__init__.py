"""What ``train.py`` is made of: recipes, losses, a state that survives a kill, log and record."""
