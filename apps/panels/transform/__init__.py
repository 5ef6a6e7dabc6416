"""Transformations: what a panel does to its frames before it draws them."""

from apps.panels.transform.registry import TRANSFORMATIONS, apply

__all__ = ["TRANSFORMATIONS", "apply"]
