"""The dashboard of GenAI Atlas: charts over the current build, pages that show them, nothing that computes claims."""
