"""Run the pipeline's stages, publish their results, and measure the behaviour of the code."""
