"""Many coils: how their signals are compressed, combined and simulated."""
