"""Experiments that train translation between two domains without pairs."""
