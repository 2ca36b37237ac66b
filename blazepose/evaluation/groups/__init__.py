"""Groups of people: their assignment from tables and labels, and their metrics."""
