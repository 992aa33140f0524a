"""What runs the stages, publishes their results and measures what the code does."""
