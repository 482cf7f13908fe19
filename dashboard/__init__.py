"""The dashboard of GenAI Atlas: charts over the current build, and pages that show them."""
