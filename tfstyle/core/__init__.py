"""What everything else stands on: errors, files, settings, registries, TensorFlow, random numbers, progress."""
