"""Pictures of one training run. Each picture can be understood without the others."""
