"""Losses of optimisation-based transfer: statistics, terms, the objective, and exact tiles."""
