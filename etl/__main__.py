"""`python -m etl` is `genai-atlas` without the commands that need the dashboard, which is slow to import."""

from etl.cli import app

app()
