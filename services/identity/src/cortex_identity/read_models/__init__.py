"""The questions that are answered from tables: each file holds the row, the fold into it, and the SQL that asks."""
