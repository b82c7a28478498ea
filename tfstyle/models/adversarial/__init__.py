"""GAN, WGAN, CycleGAN and CycleGAN with self-attention."""
