"""This project's scores beside numbers from papers."""
