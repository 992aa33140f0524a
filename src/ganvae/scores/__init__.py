"""Records of scores, statistics over them, and what differs between models."""
