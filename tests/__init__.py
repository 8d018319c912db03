"""Tests, run by trial: `trial tests`."""
