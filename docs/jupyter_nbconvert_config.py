"""Steps that turn a notebook into a page of the site.

By default, nbconvert executes a notebook after it has hidden the outputs of tagged cells, and prints each
piece of a line on a line of its own.
"""

from nbconvert.exporters import Exporter

config = get_config()  # noqa: F821 (nbconvert defines it)
_EXECUTE = "nbconvert.preprocessors.ExecutePreprocessor"
_OTHERS = [name for name in Exporter().default_preprocessors if name != _EXECUTE]
config.Exporter.default_preprocessors = [_EXECUTE, *_OTHERS]
config.CoalesceStreamsPreprocessor.enabled = True
