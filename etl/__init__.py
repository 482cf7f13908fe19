"""The pipeline: shipped claims in, one immutable warehouse file out. It knows nothing of the dashboard."""

from importlib.metadata import version

__version__ = version("genai-atlas")
