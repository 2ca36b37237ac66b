"""Disk to batch: readers, aligned crops, augmentation, datasets."""
