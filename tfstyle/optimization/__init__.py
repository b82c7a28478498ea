"""A picture as a Keras model: canvas, L-BFGS, parameterization, scales, checkpoints, memory."""
