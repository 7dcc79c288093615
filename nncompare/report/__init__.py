"""The report: from results.json to HTML and Markdown."""
