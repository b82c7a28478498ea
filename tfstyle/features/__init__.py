"""Backbones as feature extractors: networks, their weights, and the receptive fields of their layers."""
