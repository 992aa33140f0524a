"""GAN or VAE? A benchmark that trains, measures and compares generative models of images."""
