"""Generators and discriminators of the adversarial models."""
