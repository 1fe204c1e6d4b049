"""The version of the package."""

VERSION = "2.0.0"
