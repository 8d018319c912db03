"""
How hypothesis is used here: the same examples in every run, so that a test fails because the code
has changed and for no other reason. How fast a shared machine makes the examples up is no property
of the code either.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def steady(max_examples: int = 300) -> settings:
    """The settings of a test over so many examples."""
    return settings(
        max_examples=max_examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
