"""Training of feed-forward models: datasets, run folders, and one module for each kind of model."""
