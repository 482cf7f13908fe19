"""Live sources: one module each, pure; `fetch` is the one that talks."""
