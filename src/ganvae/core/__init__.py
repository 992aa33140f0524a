"""What everything else rests on: errors, files, tensors, images, seeds, paths."""
