"""Receive coils: what each of them sees, and how their signals are used together."""
