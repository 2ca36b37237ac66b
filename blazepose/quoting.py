"""Quotes around Hydra overrides, as a user types them in a shell."""


def quoted(override: str) -> str:
    """Quote an override so that Hydra parses it literally: `"data.train=['lsp:~/my set']"`."""
    key, _, value = override.partition("=")
    value = value.strip()
    if not value.startswith("["):
        return f'"{key}={quote_value(value)}"'
    items = [quote_value(item.strip()) for item in value.strip("[]").split(",")]
    return f'"{key}=[{",".join(items)}]"'


def quote_value(text: str) -> str:
    """Quote a value so that Hydra parses it as text."""
    inner = text.strip("'\"").replace("'", "\\'")
    return f"'{inner}'"
