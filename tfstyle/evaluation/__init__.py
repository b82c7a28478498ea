"""Evaluation of results: metrics, scores of images, KID of image sets, diagnostics of adversarial trainings."""
