"""How good results are: metrics, KID, scores, diagnostics of trainings."""
