"""Config keys of training and evaluation: defaults, meanings and allowed values, without heavy imports."""
