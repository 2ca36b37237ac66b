"""Config keys of training and evaluation: meanings and allowed values, without heavy imports.

Their YAML files are in `configs/`, to which `blazepose/configs` links.
"""
