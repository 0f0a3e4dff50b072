"""What DOCX, PPTX and XLSX share: the zip and its relations, charts, diagrams, equations, raised numbers."""
