"""Commands that make readers: train, distil, shrink, average, calibrate, export."""
