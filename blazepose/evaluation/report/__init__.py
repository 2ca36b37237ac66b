"""The report: tables, plots, sheets of people, model card."""
