"""The drawings of these pages."""
