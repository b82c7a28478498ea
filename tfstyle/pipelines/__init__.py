"""The jobs that users ask for: transfer, apply, batches; their settings, methods and results."""
