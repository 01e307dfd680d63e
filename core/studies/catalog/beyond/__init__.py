"""Questions that the paper leaves open. Their claims are ours: what one would expect, put to the test."""
