"""What keeps an index as it should be: made anew, watched, verified, carried elsewhere."""
