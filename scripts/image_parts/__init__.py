"""What scripts/image.py makes the image of."""
