"""AdaIN (Huang & Belongie 2017) and depth-aware AdaIN (after Wu & Song 2020)."""
