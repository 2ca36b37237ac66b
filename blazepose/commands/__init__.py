"""The commands of the console: one module each, found by `blazepose.commands.main`."""
