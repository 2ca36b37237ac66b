"""blazepose: the open training stack for the 33-landmark BlazePose body model."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("blazepose")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0.0.0"
