"""What of an embedded store lies on the disk: whole after a power cut, one writer at a time, copied, made anew."""
