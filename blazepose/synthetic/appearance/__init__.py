"""What rendered people look like: body shape, hair, garments, colors."""
